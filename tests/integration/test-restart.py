#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A restart, an upgrade or a SIGKILL loses nothing that landlockd had read: the table, the history and the numbers of
events go on, and what nobody could read is told. And whatever is wrong with the state directory, landlockd works."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import lifecycle
from harness import LANDLOCKD, SANDBOX, Client, Daemon, audit_state, eventually, run, sandbox, set_audit_state

# What the kernel may still have to say of a process that has ended, or that it has said and nobody has read, in seconds.
SLACK = 1.5

# How often it is killed, and when: `LIVES=500 SEED=2 test-restart.py moment` looks longer and elsewhere.
LIVES = int(os.environ.get("LIVES", "30"))
SEED = int(os.environ.get("SEED", "1"))


class Stateful(Daemon):
    """One with a state directory of its own."""

    def __init__(self, config="", state=None, **options):
        super().__init__(config=config, bus=False, **options)
        self.state = state or self.runtime

    def command(self):
        return super().command() + [f"--state-dir={self.state}"]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def status(self):
        client = self.client()
        status = client.ask(op="status")[0]
        client.close()
        return status

    def state_source(self):
        (source,) = [s for s in self.status()["sources"] if s["name"] == "state"]
        return source

    def replay(self, since=0, **options):
        """The events that are kept, and the hello."""
        client = self.client(**options)
        last = client.hello["seq"]
        client.ask(op="replay", since=since)
        events = client.until(lambda e: e["seq"] >= last, "the last event") if last > since else []
        client.close()
        # That the oldest are not kept any more is no event.
        return [e for e in events if e.get("cause") != "slow-client"], client.hello

    def snapshot(self):
        client = self.client()
        lines = client.ask(op="snapshot")
        client.close()
        return lines


def of_type(events, kind):
    return [e for e in events if e["type"] == kind]


def assert_contiguous(events, first=None):
    numbers = [e["seq"] for e in events]
    assert not numbers or first is None or numbers[0] == first, f"begins with {numbers[0]}, not {first}"
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True, "holes or duplicates"


def is_denied(event, pid):
    return event["type"] == "denial" and event.get("subject", {}).get("pid") == pid


class Held:
    """A sandboxed process that stays, was refused so often, and can be ended."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([SANDBOX, "--json", "--hold=120", *arguments], stdout=subprocess.PIPE, text=True)
        self.pid = json.loads(self.process.stdout.readline())["pid"]

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def stripped(lines):
    """What must be the same over a restart, of each object."""
    objects = {}
    for line in lines:
        ruleset = line["ruleset"] if line["type"] == "ruleset" else None
        key = (line["type"], line.get("domain"), line.get("pid"), line.get("denial"), ruleset)
        objects[key] = {k: v for k, v in line.items() if k not in ("seq", "time", "id", "last_seen", "started")}
        if line["type"] == "domain" and line["state"] == "allocated":
            # The kernel's count is asked for anew.
            objects[key]["denials"] = {k: v for k, v in line["denials"].items() if k != "kernel"}
    return objects


def over_restart(stop):
    with Stateful() as daemon:
        held = Held("fs.write_file", "--count=3")
        watcher = daemon.client()
        watcher.ask(op="replay", since=0)
        of_held = []
        watcher.until(lambda e: is_denied(e, held.pid) and (of_held.append(e) or len(of_held) == 3), "the denials")
        (truth,) = sandbox("fs.make_dir")
        watcher.until_freed({truth["pid"]}, 1)
        before, table = daemon.replay()[0], daemon.snapshot()
        started = watcher.hello["started"]

        stop(daemon)
        daemon.start()
        events, hello = daemon.replay()
        assert hello["started"] != started and hello["counted_since"] == watcher.hello["counted_since"], hello
        assert_contiguous(events, 1)
        assert events[:len(before)] == before, "the history has changed"
        lost = [e for e in of_type(events[len(before):], "lost") if e["cause"] == "restart" and e["source"] == "audit"]
        assert len(lost) == 1 and "count" not in lost[0], lost
        assert lost[0]["since"] <= lost[0]["until"], lost

        after = stripped(daemon.snapshot())
        for key, line in stripped(table).items():
            if key[0] != "reply":
                assert after.get(key) == line, (line, after.get(key))
        assert daemon.state_source() == {"name": "state", "state": "active"}
        # Counts begin anew, numbers do not.
        assert daemon.status()["counters"]["domains"] == 0
        client = daemon.client()
        (again,) = sandbox("fs.make_dir")
        events = client.until_freed({again["pid"]}, 1)
        number = max(e["denial"] for e in of_type(table, "denial"))
        assert min(e["denial"] for e in of_type(events, "denial")) > number, events

        # The held one is known still, and its end settles the account of both lives.
        held.end()
        end = client.until_freed({held.pid}, 1)[-1]
        assert end["denials"] == {"seen": 3, "kernel": 3, "unseen": 0}, end


def planned_restart():
    over_restart(Daemon.stop)


def killed():
    over_restart(Stateful.kill)


def processes():
    """Of the processes that were known, one has died meanwhile and one lives on; its threads are found again, and are
    followed where the kernel tells of forks and exits."""
    with Stateful() as daemon:
        stays, goes = Held("fs.write_file"), Held("fs.write_file")
        client = daemon.client()
        client.ask(op="replay", since=0)
        seen = set()
        client.until(lambda e: seen.update(p for p in (stays.pid, goes.pid) if is_denied(e, p)) or len(seen) == 2, "both")
        known = {e["pid"]: e for e in of_type(daemon.snapshot(), "process")}
        daemon.kill()
        goes.end()
        daemon.start()
        events, _ = daemon.replay()
        # With a domain all who are in it are gone.
        gone = [e["pid"] for e in of_type(events, "process") if e["change"] == "gone"]
        freed = [e.get("creator", {}).get("pid") for e in of_type(events, "domain") if e["change"] == "freed"]
        assert stays.pid not in gone + freed, (gone, freed)
        assert max(gone.count(goes.pid), freed.count(goes.pid)) == 1, (gone, freed)
        (process,) = [e for e in of_type(daemon.snapshot(), "process") if e["pid"] == stays.pid]
        assert process.get("threads") == known[stays.pid].get("threads"), (process, known[stays.pid])
        assert process["known"] == known[stays.pid]["known"], process
        client = daemon.client()
        stays.end()
        client.until_freed({stays.pid}, 1)


# Confines itself, is denied something, and becomes another program when it is told to.
EXECUTES = lifecycle.MARK + """
import os, sys
sys.stdin.readline()
os.execlp("sleep", "sleep", "120")
"""


def executed():
    """What a process runs is what it runs now, though nobody was told that it has executed something."""
    with Stateful() as daemon, subprocess.Popen([sys.executable, "-c", EXECUTES], stdin=subprocess.PIPE, text=True) as process:
        client = daemon.client()
        client.ask(op="replay", since=0)
        client.until(lambda e: is_denied(e, process.pid), "the denial")
        daemon.kill()
        process.stdin.write("\n")
        process.stdin.flush()
        eventually(lambda: os.readlink(f"/proc/{process.pid}/exe").endswith("/sleep"), "another program")
        daemon.start()
        (line,) = [e for e in of_type(daemon.snapshot(), "process") if e["pid"] == process.pid]
        assert line["comm"] == "sleep" and line["exe"].endswith("/sleep"), line
        updated = [e for e in of_type(daemon.replay()[0], "process") if e["pid"] == process.pid and e["change"] == "updated"]
        assert updated and updated[-1]["exe"] == line["exe"], updated
        process.terminate()


class Load(threading.Thread):
    """Sandboxes that come and go, in all sizes; what each was refused, and when it ran."""

    def __init__(self, seed):
        super().__init__()
        self.dice = random.Random(seed)
        self.truths = []
        self.ended = threading.Event()

    def run(self):
        modes = (["fs.write_file", "--count=5"], ["fs.make_dir"], ["many", "--domains=10"], ["flood", "--count=500"])
        while not self.ended.wait(0.02):
            began = time.time()
            for truth in sandbox(*self.dice.choice(modes)):
                self.truths.append((began, time.time(), truth))


def killed_at_any_moment():
    """Many lives, each ended by SIGKILL: while it starts, while it works, while it writes a checkpoint."""
    set_audit_state("enabled=0 backlog_limit=64")
    dice = random.Random(SEED)
    gaps, seen = [], {}
    with Stateful(config="JsonHistorySize=64M\n") as daemon:
        load = Load(SEED)
        load.start()
        try:
            for life in range(LIVES):
                if life % 3 == 2:
                    # On its way into life.
                    process = subprocess.Popen(daemon.command(), stderr=daemon.log)
                    time.sleep(dice.uniform(0, 0.15))
                    process.kill()
                    process.wait()
                elif life > 0:
                    daemon.start()
                    gaps[-1][1] = time.time()
                if life % 3 != 2:
                    time.sleep(dice.uniform(0.2, 1.5))
                    events, _ = daemon.replay(since=max(seen, default=0), validate=False)
                    seen.update((e["seq"], e) for e in events)
                    daemon.kill()
                    gaps.append([time.time(), None])
            daemon.start()
            gaps[-1][1] = time.time()
            time.sleep(1)
        finally:
            load.ended.set()
            load.join()
        gaps = [g for g in gaps if g[1]]
        time.sleep(SLACK)
        events, _ = daemon.replay(validate=False)
        table = {e["domain"]: e for e in of_type(daemon.snapshot(), "domain")}
        assert "checkpoint" not in daemon.messages(), daemon.messages()
        assert daemon.status()["counters"]["state_set_aside"] == 0

    assert all(seen[e["seq"]] == e for e in events if e["seq"] in seen), "an event has changed"
    # The spool may have gone round.
    seen.update((e["seq"], e) for e in events)
    events = [seen[seq] for seq in sorted(seen)]
    assert_contiguous(events, 1)
    check_domains(events, table)
    check_load(events, load.truths, gaps)


def check_domains(events, table):
    """What the stream adds up to is what the table has; no domain was denied more than the kernel counted."""
    counted, ends = {}, {}
    for event in events:
        if event["type"] == "denial":
            counted[event["domain"]] = counted.get(event["domain"], 0) + 1
        elif event["type"] == "domain" and event["change"] in ("freed", "updated") and event["state"] == "deallocated":
            ends[event["domain"]] = event
    assert len(ends) > 100, f"only {len(ends)} domains"
    for domain, end in ends.items():
        assert end["denials"]["seen"] == counted.get(domain, 0), (end, counted.get(domain))
        if "kernel" in end["denials"]:
            assert end["denials"]["seen"] <= end["denials"]["kernel"], end
    for domain, line in table.items():
        assert line["denials"]["seen"] == counted.get(domain, 0), (line, counted.get(domain))


def check_load(events, truths, gaps):
    """All of a sandbox that ran while landlockd did was seen. Each was refused a path of its own."""
    domains, ends = {}, {}
    for event in events:
        if event["type"] == "denial":
            domains.setdefault(event["object"].get("path"), set()).add(event["domain"])
        elif event["type"] == "domain" and event["change"] == "freed":
            ends[event["domain"]] = event
    whole = [t for began, ended, t in truths if not any(g[0] - SLACK < ended + SLACK and began < g[1] for g in gaps)]
    assert len(whole) > 10, f"only {len(whole)} of {len(truths)} sandboxes ran in no gap"
    for truth in whole:
        own = [ends.get(d) for d in domains.get(truth["expected"][0]["object"]["path"], ())]
        assert len(own) == truth["domains"], (truth["kind"], truth["domains"], len(own))
        assert None not in own, (truth["kind"], "a domain has no end")
        assert sum(e["denials"]["seen"] for e in own) == truth["denials"], (truth["kind"], own)
        assert all(e["denials"]["unseen"] == 0 for e in own), own


class Mount:
    def __init__(self, options):
        self.path = tempfile.mkdtemp(prefix="landlockd-test-state-")
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.path], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)
        os.rmdir(self.path)

    def remount(self, options):
        subprocess.run(["mount", "-o", f"remount,{options}", self.path], check=True)


def works(daemon):
    client = daemon.client()
    (truth,) = sandbox("fs.make_dir")
    client.until_freed({truth["pid"]}, 1)
    client.close()


def no_room():
    """A spool that does not fit is not begun: events are kept in memory, and landlockd says so."""
    with Mount("size=1M") as mount:
        with Stateful(state=mount.path) as daemon:
            source = daemon.state_source()
            assert source["state"] == "degraded" and "No space left" in source["reason"], source
            assert "No space left" in daemon.messages()
            works(daemon)
            hello = daemon.client().hello
            daemon.stop()
            daemon.start()
            assert daemon.client().hello["counted_since"] != hello["counted_since"]
            works(daemon)
            assert os.listdir(mount.path) == []
        # One that fits.
        with Stateful(config="JsonHistorySize=256K\n", state=mount.path) as daemon:
            assert daemon.state_source()["state"] == "active"


def full_later():
    """When there is no more room for a checkpoint, the spool still has its place, and the last checkpoint stays."""
    with Mount("size=2M") as mount, Stateful(config="JsonHistorySize=1M\n", state=mount.path) as daemon:
        works(daemon)
        daemon.stop()
        assert os.path.exists(f"{mount.path}/checkpoint.ndjson")
        with open(f"{mount.path}/filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
        daemon.start()
        works(daemon)
        (truth,) = sandbox("flood", "--count=5000")
        eventually(lambda: daemon.status()["counters"]["checkpoints_failed"] > 0, "failing to write a checkpoint")
        assert "No space left" in daemon.messages()
        events, _ = daemon.replay()
        assert_contiguous(events)
        daemon.kill()
        os.unlink(f"{mount.path}/filler")
        daemon.start()
        after, _ = daemon.replay()
        assert_contiguous(after)
        assert [e for e in after if e["seq"] <= events[-1]["seq"]] == [e for e in events if e["seq"] >= after[0]["seq"]]
        # More was published than the spool has, and no checkpoint has the rest.
        lost = [e for e in of_type(after, "lost") if e["source"] == "state"]
        assert lost and lost[0]["count"] > 0, lost
        assert truth


def read_only():
    with Mount("size=64M") as mount:
        mount.remount("ro")
        with Stateful(state=mount.path) as daemon:
            source = daemon.state_source()
            assert source["state"] == "degraded" and "Read-only" in source["reason"], source
            works(daemon)


def damaged():
    """Files that are not what they should be are set aside, with a message, and landlockd begins anew."""
    with Stateful() as daemon:
        works(daemon)
        daemon.stop()
        for name, sentence in (("events.spool", "events.spool cannot be used"),
                               ("checkpoint.ndjson", "checkpoint.ndjson cannot be used")):
            path = f"{daemon.state}/{name}"
            for damage in (lambda p: os.truncate(p, os.path.getsize(p) // 2), lambda p: os.truncate(p, 0),
                           lambda p: open(p, "r+b").write(os.urandom(500)),
                           lambda p: (os.unlink(p), os.symlink("/etc/passwd", p))):
                damage(path)
                os.truncate(f"{daemon.directory}/log", 0)
                daemon.start()
                assert sentence in daemon.messages(), daemon.messages()
                assert os.path.lexists(f"{path}.bad")
                assert daemon.state_source()["state"] == "active"
                assert daemon.status()["counters"]["state_set_aside"] == 1
                works(daemon)
                daemon.stop()
                assert os.path.isfile(path) and not os.path.islink(path)
                os.unlink(f"{path}.bad")


def foreign():
    """The spool of another machine is none of ours."""
    with Stateful() as daemon, tempfile.NamedTemporaryFile("w", suffix="machine-id") as machine_id:
        works(daemon)
        daemon.stop()
        machine_id.write("f" * 32 + "\n")
        machine_id.flush()
        daemon.wrapper = ["unshare", "--mount", "sh", "-c", f'mount --bind {machine_id.name} /etc/machine-id && exec "$@"', "sh"]
        daemon.start()
        assert "on this machine" in daemon.messages(), daemon.messages()
        daemon.stop()
        daemon.wrapper = []
        daemon.start()


def in_use():
    with tempfile.TemporaryDirectory() as state, Stateful(state=state) as first, Stateful(state=state) as second:
        assert first.state_source()["state"] == "active"
        source = second.state_source()
        assert source["state"] == "degraded" and "another landlockd" in source["reason"], source


def quick_start():
    """With a large history and many domains, the next life begins within a second."""
    with Stateful(config="JsonHistorySize=64M\n") as daemon:
        client = daemon.client()
        client.ask(op="subscribe", types=["domain"])
        sandbox("many", "--domains=2000")
        (truth,) = sandbox("flood", "--count=50000")
        client.until_freed({truth["pid"]}, 1)
        client.close()
        before = of_type(daemon.snapshot(), "domain")
        daemon.kill()
        began = time.monotonic()
        daemon.start()
        took = time.monotonic() - began
        assert took < 1.5, f"{took:.2f} s"
        after = stripped(of_type(daemon.snapshot(), "domain"))
        assert len(before) >= 2001, len(before)
        for key, line in stripped(before).items():
            assert after.get(key) == line, (line, after.get(key))


def reload():
    """The configuration is read again: what can change does, what cannot is named, what is wrong changes nothing."""
    with Stateful() as daemon:
        def reload_with(config, sentence):
            with open(daemon.config, "w") as f:
                f.write("[Landlockd]\n" + config)
            os.truncate(f"{daemon.directory}/log", 0)
            daemon.process.send_signal(signal.SIGHUP)
            eventually(lambda: sentence in daemon.messages(), f"saying {sentence!r}")

        instance = f"TraceInstance=test-{os.getpid()}\n"
        reload_with(instance + "MaxDomains=5\nMaxRules=7\n", "MaxRules= is in force after a restart")
        assert "MaxDomains= is in force after a restart" in daemon.messages()
        reload_with(instance + "MaxDomain=5\n", "unknown setting MaxDomain")
        assert "stays as it was" in daemon.messages()
        works(daemon)


tests = [
    ("a planned restart", planned_restart),
    ("SIGKILL", killed),
    ("processes that outlive landlockd, and that do not", processes),
    ("processes that executed something meanwhile", executed),
    ("SIGKILL at any moment, under load", killed_at_any_moment),
    ("no room for the spool", no_room),
    ("no room any more for a checkpoint", full_later),
    ("a state directory that cannot be written", read_only),
    ("damaged files", damaged),
    ("the spool of another machine", foreign),
    ("a state directory that is in use", in_use),
    ("a quick start", quick_start),
    ("a reload of the configuration", reload),
]

if __name__ == "__main__":
    run(tests)
