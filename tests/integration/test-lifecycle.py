#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domains and processes in every life-cycle. Where events tell of domains, Landlock's own or those of BPF programs, all
must be known. By audit alone, a domain is known from its first logged denial on: what is told of it must be true, who is
said to be in it must be or have been one of those whom its maker brought forth, and nobody may stay listed who is
gone."""

import lifecycle
from harness import WITHOUT, Daemon, Skip, eventually, run

# Where all who are in a domain descend from its maker, who lives, and were not forked by it before: there inference is
# right, and misses nobody.
FAMILIES = {"plain", "exec", "identity", "leader-exits", "privileged", "spawn", "threads-sync", "threads-sync-other",
            "vfork", "versions-nested", "all-rights", "paths", "many-rules", "nested", "many-domains"}


class Denied:
    """What of the truth is told by audit alone: domains with a logged denial."""

    def __init__(self, truth):
        self.truth = truth
        self.logged, self.pids = {}, {task["pid"] for task in truth.tasks}
        for denial in truth.denials:
            if denial["logged"]:
                self.logged[denial["domain"]] = self.logged.get(denial["domain"], 0) + denial["count"]

    def match(self, told):
        """The ID for each index. The kernel numbers what one process made in the order in which it made it."""
        told = {id: event for id, event in told.items() if event.get("creator", {}).get("pid") in self.pids}
        ids = {}
        for pid in {self.truth.domains[i]["pid"] for i in self.logged}:
            made = sorted(i for i in self.logged if self.truth.domains[i]["pid"] == pid)
            found = sorted((id for id, event in told.items() if event["creator"]["pid"] == pid),
                           key=lambda id: int(id, 16))
            lifecycle.expect(len(found), len(made), f"domains made by {pid}")
            ids.update(zip(made, found))
        lifecycle.expect_keys(told, {id: True for id in ids.values()}, "domains")
        return ids

    def members(self, outer, live=False):
        """Processes that ever were in the domain or in one nested in it, or are now."""
        return {pid for domain, pid in self.truth.processes(live) if self.truth.is_inside(domain, outer)}


class Events:
    """The stream, without what others do on this machine."""

    def __init__(self):
        self.domains, self.ended, self.processes, self.denials = {}, set(), {}, {}
        self.gone = set()

    def take(self, event):
        if event["type"] == "domain":
            if event["change"] == "freed" and event["domain"] not in self.domains:
                return  # it was there before us
            assert event["domain"] not in self.ended, f"after its end: {event}"
            assert (event["domain"] in self.domains) == (event["change"] != "added"), f"twice, or never made: {event}"
            self.domains[event["domain"]] = event
            if event["change"] == "freed":
                self.ended.add(event["domain"])
        elif event["type"] == "process":
            key = event["domain"], event["pid"]
            assert (key in self.processes) == (event["change"] != "added"), f"twice, or never there: {event}"
            self.processes[key] = event
            if event["change"] == "gone":
                self.gone.add(key)
        elif event["type"] == "denial":
            self.denials[event["domain"]] = self.denials.get(event["domain"], 0) + event["count"]
        elif event["type"] == "lost":
            raise AssertionError(f"lost: {event}")


def listed(observer, ids):
    return {(p["domain"], p["pid"]): p for p in observer.snapshot(sorted(ids.values()))["process"]}


def check_held(observer, denied, ids, events, name):
    """Who is listed lives, and where the truth is plain all are listed who should be."""
    indexes = {id: i for i, id in ids.items()}
    alive = {pid for _, pid in denied.truth.processes(live=True)} | \
        {task["pid"] for task in denied.truth.tasks if task["in"]}

    def nobody_dead():
        return not [key for key, p in listed(observer, ids).items() if p.get("threads") and key[1] not in alive]

    eventually(nobody_dead, "the exit of all who are gone")
    here = listed(observer, ids)
    for domain, pid in here:
        assert pid in denied.pids, f"{pid} was never made"
        if name in FAMILIES or here[domain, pid]["known"] != "inferred":
            assert pid in denied.members(indexes[domain]), f"{pid} was never in {domain}: {here[domain, pid]}"
    if name in FAMILIES:
        for i in ids:
            missing = denied.members(i, live=True) - {pid for domain, pid in here if denied.truth.is_inside(indexes[domain], i)}
            assert not missing, f"{missing} should be listed in {ids[i]}, or further inside: {list(here)}"


def check_ended(denied, ids, events):
    for i, id in ids.items():
        total = denied.truth.domains[i]["denials"]
        lifecycle.expect(events.domains[id]["denials"],
                         {"seen": denied.logged[i], "kernel": total, "unseen": total - denied.logged[i]}, f"domain {i}")
        lifecycle.expect(events.denials[id], denied.logged[i], f"denials of domain {i}")
        told = {pid: e for (domain, pid), e in events.processes.items() if domain == id}
        wrong = {pid: e for pid, e in told.items() if e["known"] != "inferred" and pid not in denied.members(i)}
        assert not wrong, f"never in domain {i}: {wrong}"


def go_through(observer, name):
    """With audit alone."""
    events = Events()
    with lifecycle.Program(name) as program:
        observer.await_readable(program.process.stdout)
        denied = Denied(program.truth())

        def caught_up():
            while (event := observer.next(0.1)):
                events.take(event)
            return sum(events.denials.get(id, 0) for id in events.domains) >= sum(denied.logged.values()) and \
                len([e for e in events.domains.values() if e.get("creator", {}).get("pid") in denied.pids]) >= len(denied.logged)

        eventually(caught_up, "all denials")
        ids = denied.match(events.domains)
        live = {i: id for i, id in ids.items() if denied.truth.domains[i]["live"]}
        check_held(observer, denied, live, events, name)

        program.release()
        observer.await_readable(program.process.stdout)
        denied = Denied(program.truth())

        def all_ended():
            while (event := observer.next(0.1)):
                events.take(event)
            return events.ended >= set(ids.values())

        eventually(all_ended, "the end of all domains")
    check_ended(denied, denied.match(events.domains), events)
    here = {pid for _, pid in listed(observer, denied.match(events.domains))}
    assert not here & denied.pids, f"left behind: {here & denied.pids}"


def test(name, config="", wrapper=()):
    def function():
        with Daemon(config=config, bus=False, wrapper=wrapper) as daemon:
            observer = lifecycle.Observer(f"{daemon.runtime}/telemetry.sock")
            if observer.tellers.domains:
                lifecycle.go_through(observer, name)
            elif config:
                go_through(observer, name)
            else:
                raise Skip("nobody tells of domains")
            observer.close()

    return function


run([(f"life-cycle {name}", test(name)) for name in lifecycle.names()] +
    [(f"life-cycle {name} without perf events", test(name, wrapper=[WITHOUT, "perf"])) for name in lifecycle.names()] +
    [(f"life-cycle {name} without BPF", test(name, "Bpf=no\n")) for name in lifecycle.names()])
