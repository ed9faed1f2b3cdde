#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""landlockctl monitor as those who watch with it meet it: root and others, floods, hostile names, ends of all kinds."""

import collections
import copy
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time

import jsonschema

from harness import LANDLOCKCTL, PATIENCE, SANDBOX, SCHEMA, Daemon, Skip, eventually, run

# Whose sandboxes these tests are about: what else goes on on the machine is nobody's of these. The system knows both, by
# whatever name, since dbus-daemon lets in nobody else.
ALICE, BOB = 1, 2


def schema_of_bus():
    """What doc/json.md says of the lines that are made from what D-Bus tells."""
    schema = copy.deepcopy(SCHEMA)
    schema["required"] = ["time", "type"]
    schema["$defs"]["denial"]["properties"]["last"] = {"$ref": "#/$defs/time"}
    schema["$defs"]["denial"]["required"].remove("denial")
    schema["$defs"]["lost"]["properties"]["cause"]["enum"].append("missed")
    schema["$defs"]["hello"]["required"] = ["version", "started", "sources"]
    return jsonschema.validators.validator_for(schema)(schema)


VALIDATOR = schema_of_bus()


def as_user(daemon, uid, program, *arguments):
    """The command line; the program is where every user may execute it."""
    path = f"{daemon.directory}/{os.path.basename(program)}"
    if not os.path.exists(path):
        subprocess.run(["install", "-m755", program, path], check=True)
    wrapper = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
    return [*wrapper, path, *arguments]


class Monitor:
    """A running `landlockctl monitor`, by default one that prints JSON."""

    def __init__(self, daemon, *arguments, uid=0, text=False):
        command = as_user(daemon, uid, LANDLOCKCTL, f"--bus={daemon.bus.address}", "monitor", *arguments)
        if not text:
            command.append("--json=short")
        self.errors = open(f"{daemon.directory}/errors-{time.monotonic_ns()}", "w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors)
        self.text, self.lines, self.events = text, queue.Queue(), []
        self.told = collections.Counter()  # denials of each domain
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def next(self, timeout=PATIENCE):
        """The next line or event, or None at the end."""
        line = self.lines.get(timeout=timeout)
        if line is None or self.text:
            return line
        event = json.loads(line)
        # Of a flood those that began it.
        if len(self.events) < 500 or "denial" not in event:
            error = jsonschema.exceptions.best_match(VALIDATOR.iter_errors(event))
            assert not error, (error.message, event)
        self.events.append(event)
        if event["type"] == "denial":
            self.told[event["domain"]] += event["count"]
        return event

    def begins(self):
        """When it greets it is subscribed."""
        first = self.next()
        if first is None:
            code = self.process.wait()
            assert code == 4 and "cannot tell whether you call from within" in self.messages(), (code, self.messages())
            self.end()
            raise Skip("landlockd cannot tell on this system whether a caller is in a domain")
        assert b" hello " in first if self.text else first["type"] == "hello", first
        return self

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            try:
                assert self.next(max(0.01, deadline - time.monotonic())), f"it ended: {self.messages()}"
            except queue.Empty:
                raise AssertionError(f"{what} did not come; the last were {self.events[-3:]}") from None
        return self.events

    def listen(self, seconds):
        """For what must not come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.next(max(0.01, end - time.monotonic()))
            except queue.Empty:
                return

    def until_freed(self, pids, n_domains=1):
        """All up to the end of that many domains that these processes made."""
        ended, seen = set(), [0]

        def done():
            while seen[0] < len(self.events):
                event = self.events[seen[0]]
                seen[0] += 1
                if event.get("change") == "freed" and event.get("creator", {}).get("pid") in pids:
                    ended.add(event["domain"])
            return len(ended) >= n_domains

        return self.until(done, f"the end of the domains of {pids}")

    def messages(self):
        self.errors.seek(0)
        return self.errors.read()

    def ends(self):
        """By itself. Returns the exit code."""
        code = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        return code

    def end(self, signal_number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        code = self.ends()
        self.errors.close()
        return code


def denials(events, **subject):
    return [e for e in events if e["type"] == "denial" and subject.items() <= e["subject"].items()]


def count(events):
    return sum(e["count"] for e in events)


def start_sandbox(daemon, *arguments, uid=ALICE):
    return subprocess.Popen(as_user(daemon, uid, SANDBOX, "--json", *arguments), stdout=subprocess.PIPE, text=True, cwd="/tmp")


def sandbox(daemon, *arguments, uid=ALICE):
    process = start_sandbox(daemon, *arguments, uid=uid)
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, f"sandbox {arguments} ended with {process.returncode}"
    return [json.loads(line) for line in output.splitlines()]


def all_of_it():
    """Root is told all, each domain from its beginning over its denials to its end, with the kernel's own count."""
    with Daemon() as daemon:
        monitor = Monitor(daemon).begins()
        truths = sandbox(daemon, "fs.write_file", "net.bind_tcp", "scope.signal", "nested", "--count=5")
        n = sum(e.get("count", 1) for t in truths for e in t["expected"])
        told = lambda: denials(monitor.events, uid=ALICE)
        freed = lambda: {e["domain"] for e in monitor.events if e.get("change") == "freed"}
        events = monitor.until(lambda: count(told()) >= n and {e["domain"] for e in told()} <= freed(), f"{n} denials")
        assert count(told()) == n, (count(told()), n)
        for domain in {e["domain"] for e in told()}:
            of_it = [e for e in events if e.get("domain") == domain]
            assert [e.get("change") for e in (of_it[0], of_it[-1])] == ["added", "freed"], of_it
            assert count(denials(of_it)) == of_it[-1]["denials"]["kernel"] > 0, of_it
        assert monitor.end() == 0


def each_his_own():
    with Daemon() as daemon:
        monitors = {uid: Monitor(daemon, uid=uid).begins() for uid in (0, ALICE, BOB)}
        pids = {uid: sandbox(daemon, f"--count={n}", "fs.write_file", uid=uid)[0]["pid"] for uid, n in ((ALICE, 3), (BOB, 5))}
        for uid, n in ((ALICE, 3), (BOB, 5)):
            events = monitors[uid].until_freed({pids[uid]})
            assert count(denials(events)) == n and not denials(events, uid=ALICE + BOB - uid), events
            assert {e["creator"]["uid"] for e in events if e["type"] == "domain"} == {uid}, events
        events = monitors[0].until_freed(set(pids.values()), 2)
        assert count(denials(events, uid=ALICE)) == 3 and count(denials(events, uid=BOB)) == 5, events
        for monitor in monitors.values():
            assert monitor.end() == 0


def filters():
    with Daemon() as daemon:
        by_blocker = Monitor(daemon, "--type=denial", "--blocker=fs.write_file,net.bind_tcp").begins()
        domains = Monitor(daemon, "--type=domain").begins()
        sandbox(daemon, "fs.read_dir", "fs.write_file", "fs.truncate")
        truth = sandbox(daemon, "net.bind_tcp")[0]
        events = by_blocker.until(lambda: len(denials(by_blocker.events, uid=ALICE)) >= 2, "both denials")
        assert [e["blockers"] for e in denials(events, uid=ALICE)] == [["fs.write_file"], ["net.bind_tcp"]], events
        assert {e["type"] for e in events} == {"hello", "denial"}, events
        events = domains.until_freed({truth["pid"]})
        assert {e["type"] for e in events} == {"hello", "domain"}, events
        last = events[-1]
        for name in (last["domain"], f"0x{last['domain']}", last["domain_uuid"]):
            one = Monitor(daemon, f"--domain={name}", "--since=0").begins()
            events = one.until(lambda m=one: denials(m.events), "the denial")
            assert [e["domain"] for e in denials(events)] == [last["domain"]], events
            assert one.end() == 0
        assert by_blocker.end() == domains.end() == 0


def only_domain(daemon):
    """That of this test's sandbox, as soon as landlockd knows it: the ID, and who made it."""
    found = []

    def known():
        found[:] = [d for d in daemon.ctl_json("list", "--all")
                    if d.get("creator", {}).get("exe") == f"{daemon.directory}/sandbox"]
        return found

    eventually(known, "the domain")
    return found[0]["domain"], found[0]["creator"]["pid"]


def flood():
    """100,000 denials in a tight loop are few lines, and none is missing from their sum: who was there before, and who
    comes in the midst of it and asks for those before as well."""
    with Daemon("MaxDenials=262144\n") as daemon:
        before = Monitor(daemon).begins()
        process = start_sandbox(daemon, "--count=100000", "flood")
        domain, pid = only_domain(daemon)
        late = []
        while process.poll() is None and len(late) < 4:
            late.append(Monitor(daemon, "--since=0", f"--domain={domain}").begins())
            late.append(Monitor(daemon, "--since=1", "--blocker=fs.write_file").begins())
        process.communicate()
        before.until_freed({pid})
        # After a loss, the end of the domain may be found before the last that was sent of it is read; not so when audit tells
        # a denial that came after.
        (mark,) = sandbox(daemon, "fs.write_file")
        before.until(lambda: denials(before.events, pid=mark["pid"]), "a denial after the flood")
        seen = daemon.ctl_json("show", domain)[0]["denials"]["seen"]
        assert seen > 10000, seen
        for monitor in (before, *late):
            monitor.until(lambda m=monitor: m.told[domain] >= seen, f"{seen} denials")
            monitor.listen(0.6)
            assert monitor.told[domain] == seen, (monitor.told[domain], seen)
            assert not [e for e in monitor.events if e["type"] == "lost"]
            numbers = [e["denial"] for e in denials(monitor.events) if e["domain"] == domain and "denial" in e]
            assert len(set(numbers)) == len(numbers), numbers
            assert monitor.end() == 0
            assert monitor != before or len(numbers) < 500, len(numbers)


def too_slow():
    """Who does not read is told, in the end, how many were not told."""
    with Daemon() as daemon:
        monitor = Monitor(daemon, "--type=denial").begins()
        monitor.process.send_signal(signal.SIGSTOP)
        for _ in range(4):
            sandbox(daemon, "many", "--domains=300")
        monitor.process.send_signal(signal.SIGCONT)
        lost = lambda: [e for e in monitor.events if e["type"] == "lost"]
        events = monitor.until(lambda: count(denials(monitor.events)) + count(lost()) >= 1200, "all, told or counted")
        assert lost() and {e["cause"] for e in lost()} == {"missed"}, lost()
        # One batch that was on its way, and one with what was kept.
        assert len(denials(events)) < 300 + 128, len(denials(events))
        assert monitor.end() == 0


def snapshot():
    """A domain that was there is shown first, and not as new once more; one that comes meanwhile is one of the two."""
    with Daemon() as daemon:
        held = start_sandbox(daemon, "--hold=4", "fs.write_file")
        domain, pid = only_domain(daemon)
        monitor = Monitor(daemon, "--snapshot", "--since=0").begins()
        events = monitor.until_freed({pid})
        held.communicate()
        of_it = [e for e in events if e.get("domain") == domain]
        assert [e["type"] for e in of_it] == ["domain", "denial", "domain"], of_it
        assert of_it[0]["snapshot"] is True and of_it[0]["state"] == "allocated" and "change" not in of_it[0], of_it
        assert monitor.end() == 0


def hostile_names():
    """Nothing of them reaches the terminal as it is; in JSON they are what `denials` tells, too."""
    kinds = subprocess.run([SANDBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    kinds = [kind for kind in kinds if kind.startswith("hostile-")]
    assert len(kinds) > 5, kinds
    with Daemon() as daemon:
        text, events = Monitor(daemon, "--full", text=True).begins(), Monitor(daemon).begins()
        sandbox(daemon, *kinds)
        truth = sandbox(daemon, "fs.write_file")[0]
        events.until_freed({truth["pid"]})
        lines = [text.next()]
        while f"sandbox[{truth['pid']}]".encode() not in lines[-1]:
            lines.append(text.next())
        for line in lines:
            assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", line.decode()[:-1]), line
        assert any(b"\\x1b" in line for line in lines), lines
        told = {e["denial"]: e for e in denials(events.events, uid=ALICE)}
        listed = {d["denial"]: d for d in daemon.ctl_json("denials", "--limit=1000")["denials"]}
        for number, event in told.items():
            for member in ("object", "subject", "blockers", "time"):
                assert event[member] == listed[number][member], (event, listed[number])
        assert text.end() == events.end() == 0


def landlockd_goes():
    with Daemon() as daemon:
        for number in (signal.SIGTERM, signal.SIGKILL):
            monitor = Monitor(daemon).begins()
            daemon.stop(number)
            assert monitor.ends() == 5 and "landlockd has ended" in monitor.messages(), monitor.messages()
            monitor = Monitor(daemon)
            assert monitor.ends() == 5 and "not running" in monitor.messages(), monitor.messages()
            daemon.start()
        monitor = Monitor(daemon).begins()
        daemon.bus.process.kill()
        assert monitor.ends() == 1 and "The bus broke off" in monitor.messages(), monitor.messages()


def enough():
    """Ctrl-C, a service manager's stop, and a reader that has had enough: also while there is nothing to print."""
    with Daemon() as daemon:
        for number in (signal.SIGINT, signal.SIGTERM):
            monitor = Monitor(daemon).begins()
            assert monitor.end(number) == 0
        command = f"{LANDLOCKCTL} --bus='{daemon.bus.address}' monitor | head -n 1; exit ${{PIPESTATUS[0]}}"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 0 and result.stdout.count("\n") == 1 and not result.stderr, result


def socket():
    """The JSON socket has the stream itself, for those who may read it."""
    with Daemon() as daemon:
        path = f"{daemon.runtime}/telemetry.sock"
        with subprocess.Popen([LANDLOCKCTL, "monitor", f"--socket={path}", "--json=short"], stdout=subprocess.PIPE) as monitor:
            assert json.loads(monitor.stdout.readline())["type"] == "hello"
            truth = sandbox(daemon, "--count=3", "fs.write_file")[0]
            told = []
            while len(told) < 3:
                event = json.loads(monitor.stdout.readline())
                if event["type"] == "denial" and event["subject"]["pid"] == truth["pid"]:
                    told.append(event)
            assert [e["count"] for e in told] == [1, 1, 1] and all("seq" in e for e in told), told
            monitor.terminate()
            assert monitor.wait(PATIENCE) == 0
        command = as_user(daemon, ALICE, LANDLOCKCTL, "monitor", f"--socket={path}")
        assert subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 4


run([
    ("root sees domains and denials", all_of_it),
    ("users see their own", each_his_own),
    ("filters", filters),
    ("a flood of 100,000 denials is counted, also from the midst of it", flood),
    ("a monitor that does not read is told what it missed", too_slow),
    ("the live domains first", snapshot),
    ("hostile names", hostile_names),
    ("landlockd goes", landlockd_goes),
    ("Ctrl-C, and a reader that has had enough", enough),
    ("the JSON socket", socket),
])
