#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is in which domain, and how often it denied, whatever happens to landlockd: started last, killed, stopped, without
room, without privileges. What it knows in the end must be what the kernel knows; what it cannot know it must say."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from importlib import import_module

import lifecycle
from harness import (BUILDDIR, LANDLOCKD, PATIENCE, Daemon, Skip, eventually, run, sandbox, set_audit_state,
                     unescape)

restart = import_module("test-restart")
BPF_DUMP = os.environ.get("BPF_DUMP", f"{BUILDDIR}/bpf-dump")

# How often it is killed, and when: `KILLS=5000 SEED=2 test-attribution.py killed` looks longer and elsewhere.
KILLS = int(os.environ.get("KILLS", "500"))
SEED = int(os.environ.get("SEED", "1"))

# Confines itself, again and again if it is told how often, then is denied something at every word; at the end says how
# often.
STUBBORN = """
import ctypes, select, sys
libc = ctypes.CDLL(None)
write_file = ctypes.c_uint64(2)
assert libc.prctl(38, 1, 0, 0, 0) == 0
for _ in range(int(sys.argv[1])):
    ruleset = libc.syscall(444, ctypes.byref(write_file), ctypes.c_size_t(8), 0)
    assert ruleset >= 0 and libc.syscall(446, ruleset, 0) == 0
print("ready", flush=True)
n = 0
while not select.select([sys.stdin], [], [], 0.003)[0]:
    try:
        open("/dev/null", "w")
    except PermissionError:
        n += 1
print(n, flush=True)
"""


class Exact(restart.Stateful):
    """Of which only domains and processes are asked, often."""

    def client(self):
        return super().client(validate=False)

    def snapshot(self):
        client = self.client()
        client.ask(op="subscribe", types=["domain", "process"])
        lines = client.ask(op="snapshot")
        client.close()
        return lines

    def replay(self):
        client = self.client()
        last = client.hello["seq"]
        client.ask(op="subscribe", types=["lost", "reconciled"])
        client.ask(op="replay", since=0)
        events = []
        while (event := client.next(0.5)):
            events.append(event)
        client.close()
        return [e for e in events if e["seq"] <= last and e.get("cause") != "slow-client"]


class Stubborn:
    """A process that is denied something all the time."""

    def __init__(self, n_domains=1):
        self.process = subprocess.Popen([sys.executable, "-c", STUBBORN, str(n_domains)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == "ready\n"

    def hush(self):
        """Returns how often it was denied something, of which its innermost domain has all. It lives on."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Coming(threading.Thread):
    """Sandboxes that come and go while `with Coming(): …`."""

    MODES = (["fs.write_file", "--count=5"], ["fs.make_dir"], ["many", "--domains=10"], ["fs.write_file", "--threads=4"])

    def __init__(self, seed=SEED):
        super().__init__()
        self.dice = random.Random(seed)
        self.over = threading.Event()
        self.n = 0

    def run(self):
        while not self.over.wait(0.02):
            self.n += len(sandbox(*self.dice.choice(self.MODES)))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def source(daemon, name):
    (found,) = [s for s in daemon.status()["sources"] if s["name"] == name]
    return found


def needs_bpf(daemon):
    """Where the kernel can be asked who is where."""
    bpf = source(daemon, "bpf")
    if bpf["state"] not in ("active", "degraded"):
        raise Skip(bpf["reason"])


def living(daemon):
    """What landlockd knows: living domains, processes as (domain, pid) → number of threads."""
    lines = daemon.snapshot()
    domains = {e["domain"]: e for e in restart.of_type(lines, "domain") if e["state"] == "allocated"}
    return domains, {(e["domain"], e["pid"]): e.get("threads") for e in restart.of_type(lines, "process")}


def kernel():
    """The same as the kernel knows it."""
    result = subprocess.run([BPF_DUMP, "snapshot"], capture_output=True, text=True, check=True, timeout=PATIENCE)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return ({e["domain"]: e for e in lines if e["type"] == "domain"},
            dict(Counter((e["domain"], e["pid"]) for e in lines if e["type"] == "thread")))


def differences(daemon, lives=lambda pid: True):
    """What landlockd and the kernel do not agree on. Others use this machine, too: what changes meanwhile is not told,
    nor what an open file keeps in the kernel."""
    before, (domains, processes), after = kernel(), living(daemon), kernel()
    found = [f"no domain {id}" for id in before[0].keys() & after[0].keys() if id not in domains]
    found += [f"{key} has {processes.get(key)} threads, not {n}" for key, n in before[1].items()
              if after[1].get(key) == n and processes.get(key) != n]
    found += [f"{key} is not there" for key in processes.keys() - before[1].keys() - after[1].keys()]
    inner = {e.get("parent") for e in domains.values()}
    found += [f"nobody lives in domain {id}" for id in domains.keys() - before[0].keys() - after[0].keys() - inner]
    return found


def agrees(daemon):
    last = []

    def agree():
        last[:] = differences(daemon)
        return not last

    try:
        eventually(agree, "agreement with the kernel")
    except AssertionError as e:
        raise AssertionError(f"{e}: {last[:10]}") from None


def check_known(daemon):
    known = {e["known"] for e in restart.of_type(daemon.snapshot(), "process")}
    assert "inferred" not in known, "somebody's domain is inferred, where the kernel can be asked"


def depth(domains, id):
    n = 0
    while id:
        id, n = domains[id].get("parent"), n + 1
    return n


def made_before(name):
    """All domains, and who lives in them, of a program that was there first."""
    def test():
        with lifecycle.Program(name) as program:
            truth = program.truth()
            with Exact() as daemon:
                needs_bpf(daemon)
                pids = {task["pid"] for task in truth.tasks}
                domains, processes = living(daemon)
                told = Counter((pid, n, depth(domains, id), domains[id]["creator"]["pid"])
                               for (id, pid), n in processes.items() if pid in pids)
                parents = {i: {"parent": domain["parent"]} for i, domain in enumerate(truth.domains)}
                want = Counter((pid, len(tasks), depth_of(parents, i), truth.domains[i]["pid"])
                               for (i, pid), tasks in truth.processes(live=True).items())
                lifecycle.expect(told, want, "processes as (pid, threads, layers, domain's creator)")
                for line in restart.of_type(daemon.snapshot(), "process"):
                    assert line["known"] == "kernel", line
                    programs = {lifecycle.text(task, "exe") for task in truth.tasks
                                if task["in"] and task["pid"] == line["pid"]}
                    assert not programs or unescape(line["exe"]) in programs, (line, programs)
                reconciled = [e for e in daemon.replay() if e["type"] == "reconciled"]
                assert len(reconciled) == 1 and reconciled[0]["processes"]["added"] >= len(want), reconciled
                own = {id for id, pid in processes if pid in pids}
                program.release()
                program.truth()
                program.process.stdin.close()
                eventually(lambda: not own & living(daemon)[0].keys(), "the end of its domains")
                check_known(daemon)

    return test


def depth_of(parents, index):
    n = 0
    while index is not None:
        index, n = parents[index]["parent"], n + 1
    return n


def killed():
    """Any number of lives, each ended by SIGKILL: while it starts, looks, works."""
    set_audit_state("enabled=0 backlog_limit=64")
    dice = random.Random(SEED)
    with Exact(config="JsonHistorySize=64M\n") as daemon:
        needs_bpf(daemon)
        stubborn = [Stubborn(n) for n in (1, 1, 2, 16)]
        with Coming() as coming:
            daemon.kill()
            for _ in range(KILLS):
                process = subprocess.Popen(daemon.command(), stderr=daemon.log)
                time.sleep(dice.uniform(0, 0.6))
                process.kill()
                process.wait()
            daemon.start()
        assert coming.n > KILLS / 10, coming.n
        agrees(daemon)
        check_known(daemon)
        check_accounts(daemon, stubborn)
        assert daemon.status()["counters"]["state_set_aside"] == 0


def check_accounts(daemon, stubborn):
    """Each innermost domain has denied as often as the kernel counts; what was not seen is accounted, and told as lost."""
    processes = restart.of_type(daemon.snapshot(), "process")
    (own, counts) = {}, {}
    for one in stubborn:
        (own[one.pid],) = [e["domain"] for e in processes if e["pid"] == one.pid]
        counts[one.pid] = one.hush()
        one.end()
    ends = {}

    def ended():
        ends.update({e["domain"]: e for e in restart.of_type(daemon.snapshot(), "domain") if e["state"] == "deallocated"})
        return all("kernel" in ends.get(id, {}).get("denials", ()) for id in own.values())

    eventually(ended, "the end of all domains, with the kernel's count")
    lost = restart.of_type(daemon.replay(), "lost")
    for pid, id in own.items():
        denials = ends[id]["denials"]
        assert denials["kernel"] == counts[pid] and denials["seen"] + denials["unseen"] == counts[pid], (denials, counts[pid])
        assert denials["unseen"] == 0 or lost, denials


# Confines itself and becomes another program, whose denials the kernel does not log.
UNLOGGED = """
import ctypes, os
libc = ctypes.CDLL(None)
write_file = ctypes.c_uint64(2)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.syscall(446, libc.syscall(444, ctypes.byref(write_file), ctypes.c_size_t(8), 0), 0) == 0
os.execv("/bin/sh", ["sh", "-c", "for i in 1 2 3; do (: >/dev/null) 2>&- && exit 1; done; exit 0"])
"""


def counted():
    """Denials that are not logged: the kernel's count of them is known at the end of the domain, who was denied or not."""
    with Exact() as daemon:
        needs_bpf(daemon)
        process = subprocess.Popen([sys.executable, "-c", UNLOGGED], stderr=subprocess.DEVNULL)
        assert process.wait(PATIENCE) == 0
        ends = []

        def ended():
            ends[:] = [e for e in restart.of_type(daemon.snapshot(), "domain")
                       if e["state"] == "deallocated" and e.get("creator", {}).get("pid") == process.pid]
            return ends

        eventually(ended, "the end of the domain")
        (end,) = ends
        denials = end["denials"]
        assert denials["kernel"] == 3 and denials["seen"] + denials["unseen"] == 3, end
        tells = lifecycle.Tellers(daemon.status()["sources"]).denials
        assert denials["unseen"] == (0 if tells else 3), end


def suspended():
    """For ten seconds landlockd does not read, under load."""
    with Exact() as daemon:
        needs_bpf(daemon)
        stubborn = [Stubborn(), Stubborn(3)]
        with Coming():
            time.sleep(0.5)
            os.kill(daemon.process.pid, signal.SIGSTOP)
            time.sleep(10)
            os.kill(daemon.process.pid, signal.SIGCONT)
            time.sleep(0.5)
        agrees(daemon)
        check_accounts(daemon, stubborn)


def repaired():
    """What audit loses, a look puts right, and says so; permanent loss does not make it look all the time."""
    with Exact(config="AuditReceiveBuffer=64K\n") as daemon:
        needs_bpf(daemon)
        if lifecycle.Tellers(daemon.status()["sources"]).denials:
            raise Skip("not only audit tells of ends here")
        began = time.monotonic()
        for _ in range(3):
            os.kill(daemon.process.pid, signal.SIGSTOP)
            truth = sandbox("many", "--domains=50") + sandbox("flood", "--count=5000")
            os.kill(daemon.process.pid, signal.SIGCONT)
            eventually(lambda: daemon.status()["counters"]["audit_overflows"] > 0, "a loss")
        agrees(daemon)
        assert truth
        eventually(lambda: daemon.status()["counters"]["reconciliations"] > 1, "a look")
        counters = daemon.status()["counters"]
        events = daemon.replay()
        reconciled = restart.of_type(events, "reconciled")
        assert counters["reconciliations"] == len(reconciled) >= 2, (counters["reconciliations"], reconciled)
        assert len(reconciled) <= 2 + (time.monotonic() - began) / 2, "it looks all the time"
        assert sum(e["domains"]["added"] + e["processes"]["added"] for e in reconciled) == counters["reconciled_added"]
        assert sum(e["domains"]["removed"] + e["processes"]["removed"] for e in reconciled) == counters["reconciled_removed"]


def reused_numbers():
    """Process numbers come round, several times."""
    with open("/proc/sys/kernel/pid_max") as f:
        before = f.read()
    with Exact() as daemon:
        needs_bpf(daemon)
        held = [Stubborn(), Stubborn(2)]
        try:
            with open("/proc/sys/kernel/pid_max", "w") as f:
                f.write("2000")
            with Coming():
                subprocess.run(["bash", "-c", "for ((i = 0; i < 6000; i++)); do (:); done"], check=True)
        finally:
            with open("/proc/sys/kernel/pid_max", "w") as f:
                f.write(before)
        agrees(daemon)
        check_known(daemon)
        check_accounts(daemon, held)


def full():
    """A runtime directory without any room: what there is no file for is in memory, and it is said so."""
    with restart.Mount("size=1M") as mount:
        with Exact(directory=mount.path) as daemon:
            assert source(daemon, "state")["state"] == "degraded"
            with open(f"{mount.path}/filler", "wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(bytes(4096))
                except OSError:
                    pass
            restart.works(daemon)
            if source(daemon, "bpf")["state"] != "unavailable":
                agrees(daemon)


# With less than that landlockd does not start.
CAPABILITIES = "+audit_control,+audit_read,+net_admin,+sys_ptrace"
READ_ONLY_TRACEFS = ["unshare", "--mount", "sh", "-c",
                     'mount --bind /sys/kernel/tracing /sys/kernel/tracing && '
                     'mount -o remount,bind,ro /sys/kernel/tracing && exec "$@"', "sh"]


def refused(wrapper, bpf, trace):
    """Without what BPF or tracefs take landlockd works, and says what is missing."""
    def test():
        with Daemon(wrapper=wrapper, bus=False) as daemon:
            observer = lifecycle.Observer(f"{daemon.runtime}/telemetry.sock")
            sources = {s["name"]: s for s in observer.hello["sources"]}
            observer.close()
            for name, refusal in ("bpf", bpf), ("trace", trace):
                s = sources[name]
                if refusal:
                    assert s["state"] == "unavailable" and refusal in s["reason"], s
                    assert s["reason"] in daemon.messages()
                else:
                    assert s["state"] != "off", s
            client = daemon.client()
            (truth,) = sandbox("fs.write_file", "--count=3")
            end = client.until_freed({truth["pid"]}, 1)[-1]
            assert end["denials"] == {"seen": 3, "kernel": 3, "unseen": 0}, end

    return test


def unprivileged(extra):
    return ["setpriv", f"--bounding-set=-all,{CAPABILITIES}{extra}", "--inh-caps=-all"]


def kept_trace():
    """Over a planned restart the trace goes on; without one nothing is left of it."""
    name = f"test-{os.getpid()}"

    def instances():
        return [i for i in os.listdir("/sys/kernel/tracing/instances") if i in (name, f"{name}-tasks")]

    class Kept(Exact):
        def command(self):
            return super().command() + ["--keep-trace"]

    with Kept() as daemon:
        if source(daemon, "trace")["state"] not in ("active", "degraded"):
            raise Skip("no trace events")
        stubborn = Stubborn()
        n = len(instances())
        assert n > 0
        daemon.stop()
        assert len(instances()) == n
        child = subprocess.Popen([sys.executable, "-c", STUBBORN, "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        daemon.start()
        if source(daemon, "bpf")["state"] in ("active", "degraded"):
            agrees(daemon)
        lost = {e["source"] for e in restart.of_type(daemon.replay(), "lost")}
        assert "trace" not in lost, lost
        for process in stubborn, :
            process.end()
        child.stdin.close()
        child.wait()
        child.stdout.close()
        daemon.stop()
        assert len(instances()) == n
        remove = [LANDLOCKD, f"--config={daemon.config}", "--remove-trace"]
        assert subprocess.run(remove).returncode == 0 and instances() == []
        assert subprocess.run(remove).returncode == 0

        # One that is to trace nothing takes them away, too; nobody takes them from one that runs.
        daemon.start()
        assert len(instances()) == n
        refused = subprocess.run(remove, capture_output=True, text=True)
        assert refused.returncode == 1 and "busy" in refused.stderr, refused
        daemon.stop()
        with open(daemon.config, "a") as f:
            f.write("Trace=no\n")
        daemon.start()
        assert instances() == []


tests = [(f"made before: {name}", made_before(name)) for name in lifecycle.names()]
tests += [
    ("denials that are not logged", counted),
    ("SIGSTOP under load", suspended),
    ("a loss is repaired", repaired),
    ("process numbers that come round", reused_numbers),
    ("a full runtime directory", full),
    ("BPF refused", refused(unprivileged(""), "CAP_BPF", None)),
    ("tracefs refused", refused(READ_ONLY_TRACEFS, None, "tracefs cannot be used")),
    ("BPF and tracefs refused", refused(READ_ONLY_TRACEFS + unprivileged(""), "CAP_BPF", "tracefs cannot be used")),
    ("with the capabilities of the unit", refused(unprivileged(",+bpf,+perfmon"), None, None)),
    ("trace instances over a restart", kept_trace),
    ("killed at any moment", killed),
]

if __name__ == "__main__":
    run(tests)
