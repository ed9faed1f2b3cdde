#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The trace source on real ring buffers. Where the kernel has no Landlock trace events, uprobe events of the same names
and fields stand for them, on a program that does as it is told; forks, execs and exits are the kernel's own."""

import glob
import os
import re
import signal
import subprocess
import sys
import time

from emitter import BLOCKED_NET_ACCESS, FS_WRITE_FILE, KERNEL_HAS_EVENTS, TRACEFS, Emitter
from harness import Daemon, Skip, eventually, run, sandbox

# Ours alone, whoever else runs a landlockd.
INSTANCE = f"landlockd-test-{os.getpid()}"
CONFIG = f"TraceInstance={INSTANCE}\n"
# Bits of include/uapi/linux/landlock.h.
FS_EXECUTE, NET_BIND_TCP, SCOPE_SIGNAL = 1, 1, 2


def source(daemon):
    (found,) = [s for s in daemon.client().hello["sources"] if s["name"] == "trace"]
    return found


def counters(client):
    return client.ask(op="status")[0]["counters"]


def instances():
    return [name for name in os.listdir(f"{TRACEFS}/instances") if name.startswith(INSTANCE)]


def overrun(instance):
    total = 0
    for path in glob.glob(f"{TRACEFS}/instances/{instance}/per_cpu/cpu*/stats"):
        with open(path) as f:
            total += sum(int(line.split()[-1]) for line in f if re.match("overrun|commit overrun|dropped events", line))
    return total


def kinds(events):
    return [(e["type"], e.get("change")) for e in events]


def life_of_a_domain():
    """All that the events tell arrives, in order, before the end."""
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        assert source(daemon) == {"name": "trace", "state": "active"}, source(daemon)
        client = daemon.client()
        emitter.emit("create_ruleset", ruleset_id=0x10a, handled_fs=FS_EXECUTE | FS_WRITE_FILE | 1 << 30,
                     handled_net=NET_BIND_TCP, scoped=SCOPE_SIGNAL)
        emitter.emit("add_rule_path_beneath", ruleset_id=0x10a, ruleset_version=1, access_rights=FS_EXECUTE,
                     dev=(254 << 20) + 3, ino=2, pathname="/usr")
        emitter.emit("add_rule_net_port", ruleset_id=0x10a, ruleset_version=2, access_rights=NET_BIND_TCP, port=443)
        emitter.make_domain(0x20b, ruleset=0x10a, version=2)
        emitter.emit("free_ruleset", ruleset_id=0x10a, ruleset_version=2)
        emitter.deny_write(0x20b)
        emitter.emit("deny_access_net", domain_id=0x20b, blockers_type=BLOCKED_NET_ACCESS, blockers_access=NET_BIND_TCP,
                     port=22)
        emitter.emit("deny_scope_signal", domain_id=0x20b, target_domain_id=0x1ff, target_pid=1, target_comm="init\x1b")
        emitter.emit("free_domain", domain_id=0x20b, denials=4)
        events = client.until(lambda e: e["type"] == "domain" and e["change"] == "freed" and e["domain"] == "20b")

        rulesets = [e for e in events if e["type"] == "ruleset"]
        assert [e["change"] for e in rulesets] == ["created", "rule-added", "rule-added", "freed"], rulesets
        assert rulesets[0]["handled"] == {"fs": ["fs.execute", "fs.write_file", "fs.0x40000000"], "net": ["net.bind_tcp"],
                                          "scope": ["scope.signal"]}, rulesets[0]
        assert rulesets[0]["creator"] == {"tid": emitter.pid}
        (rule,) = rulesets[1]["rules"]
        assert (rule["path"], rule["dev_number"], rule["ino"], rule["access"]) == ("/usr", "254:3", 2, ["fs.execute"]), rule
        (rule,) = rulesets[2]["rules"]
        assert (rule["port"], rule["access"]) == (443, ["net.bind_tcp"]), rule

        domains = [e for e in events if e["type"] == "domain"]
        assert domains[0]["change"] == "added" and domains[0]["outermost"], domains[0]
        enforced = next(e for e in domains if "enforcement" in e)
        assert enforced["enforcement"] == {"process_wide": True, "no_new_privs": True}, enforced
        creator = enforced["creator"]
        assert (creator["tid"], creator["pid"], creator["uid"], creator["comm"], creator["exe"]) == \
            (emitter.pid, emitter.pid, 0, "trace-emit", os.path.realpath(emitter.program)), creator
        assert domains[-1]["denials"] == {"seen": 3, "kernel": 4, "unseen": 1}, domains[-1]

        denials = [e for e in events if e["type"] == "denial"]
        assert [e["blockers"] for e in denials] == [["fs.write_file"], ["net.bind_tcp"], ["scope.signal"]], denials
        assert denials[0]["object"]["path"] == "/etc/passwd" and denials[0]["object"]["dev_number"] == "254:3", denials[0]
        assert denials[0]["same_exec"] and not denials[0]["logged"] and denials[0]["origin"] == ["trace"], denials[0]
        assert denials[1]["object"]["local"] == {"port": 22}, denials[1]
        assert denials[2]["object"] == {"kind": "process", "pid": 1, "comm": "init\\x1b", "domain": "1ff"}, denials[2]
        # Uprobe records say that they are of an interrupt, which has no part in what the thread does.
        assert not [e for e in denials if "subject" in e], denials
        assert counters(client)["trace_out_of_order"] == counters(client)["trace_malformed"] == 0


def processes_are_followed():
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        early = int(emitter.command("spawn sleep 60"))
        emitter.make_domain(0x20b)
        thread = int(emitter.command("thread"))
        child = int(emitter.command("spawn sleep 5 & exec sleep 60"))
        seen = set()

        def is_there(event):
            seen.update({event["pid"]} if event["type"] == "process" else ())
            return len(seen) == 3 and event["type"] == "process" and event["comm"] == "sleep"

        client.until(is_there)
        assert seen > {emitter.pid, child} and early not in seen and thread not in seen, (seen, emitter.pid, early, thread)
        own = [e for e in client.ask(op="snapshot") if e["type"] == "process"]
        (emit,) = [p for p in own if p["pid"] == emitter.pid]
        assert emit["threads"] == 2 and emit["known"] == "kernel", emit
        (sleep,) = [p for p in own if p["pid"] == child]
        assert sleep["exe"] == os.path.realpath("/bin/sleep") and sleep["known"] == "inherited", sleep
        assert len(own) == 3, own
        emitter.command(f"reap {child}")
        client.until(lambda e: e["type"] == "process" and e["change"] == "gone" and e["pid"] == child)
        emitter.command(f"reap {early}")


def order_over_cpus():
    """What one thread does on changing CPUs stays in order."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise Skip("there is one CPU")
    n = 500
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        client.ask(op="subscribe", types=["denial", "lost"])
        for i in range(1, n + 1):
            emitter.command(f"cpu {cpus[i % len(cpus)]}")
            emitter.deny_write(0x20b, ino=i)
        events = client.until(lambda e: e["type"] == "denial" and e["object"]["ino"] == n)
        assert [e["object"]["ino"] for e in events] == list(range(1, n + 1))
        assert counters(client)["trace_out_of_order"] == 0


def latency():
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        client.ask(op="subscribe", types=["denial"])
        worst = 0
        for i in range(20):
            start = time.monotonic()
            emitter.deny_write(0x20b, ino=i)
            client.until(lambda e: e["type"] == "denial")
            worst = max(worst, time.monotonic() - start)
        assert worst < 0.3, worst


def overruns_are_counted():
    """As many are published, and as many told to be lost, as there were: to the last one."""
    n = 20000
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG + "TraceBufferSize=64K\n") as daemon:
        client = daemon.client(validate=False)
        client.ask(op="subscribe", types=["denial", "lost"])
        lost = seen = 0
        for _ in range(3):
            os.kill(daemon.process.pid, signal.SIGSTOP)
            emitter.deny_write(0x20b, count=n)
            os.kill(daemon.process.pid, signal.SIGCONT)
            # One that comes after the rest tells that they were read.
            time.sleep(0.1)
            emitter.deny_write(0x20b, path="/last")
            for e in client.until(lambda e: e["type"] == "denial" and e["object"]["path"] == "/last"):
                if e["type"] == "lost":
                    assert (e["cause"], e["source"], e["unit"]) == ("trace-overrun", "trace", "events"), e
                    lost += e["count"]
                else:
                    seen += e["count"]
        assert lost == overrun(INSTANCE) > n, (lost, overrun(INSTANCE))
        assert counters(client)["trace_events_missing"] == lost
        assert seen + lost == 3 * n + 3, (seen, lost)


def flood():
    """No denial is lost at the default buffer size."""
    n = 100000
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        client.ask(op="subscribe", types=["domain", "lost"])
        emitter.make_domain(0x20b)
        emitter.deny_write(0x20b, count=n)
        emitter.emit("free_domain", domain_id=0x20b, denials=n)
        events = client.until(lambda e: e["type"] == "domain" and e["change"] == "freed" and e["domain"] == "20b")
        assert events[-1]["denials"] == {"seen": n, "kernel": n, "unseen": 0}, events[-1]
        assert not [e for e in events if e["type"] == "lost"]


def leftovers_are_read():
    """What a killed daemon's instance still records is read by the next, once."""
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        emitter.make_domain(0x20b)
        emitter.deny_write(0x20b, ino=1)
        client.until(lambda e: e["type"] == "denial")
        daemon.stop(signal.SIGKILL)
        assert sorted(instances()) == [INSTANCE, f"{INSTANCE}-tasks"], instances()
        emitter.deny_write(0x20b, ino=2)
        emitter.deny_write(0x20b, ino=3)
        daemon.start()
        client = daemon.client()
        client.ask(op="replay", since=0)
        emitter.deny_write(0x20b, ino=4)
        events = client.until(lambda e: e["type"] == "denial" and e["object"]["ino"] == 4)
        # What was published before the kill may be there again, from the state that it left.
        denied = [e["object"]["ino"] for e in events if e["type"] == "denial"]
        assert [ino for ino in denied if ino != 1] == [2, 3, 4] and denied.count(1) <= 1, denied
        assert not [e for e in events if e["type"] == "lost" and e["source"] == "trace"]
    assert instances() == []


def exit_removes_instances():
    with Daemon(bus=False, config=CONFIG):
        assert f"{INSTANCE}-tasks" in instances()
    assert instances() == []


def kept_under_its_name():
    """Over a planned restart instances are kept, but not those that the next landlockd will not look for."""
    class Kept(Daemon):
        def command(self):
            return super().command() + ["--keep-trace"]

        def configure(self, line):
            with open(self.config, "w") as f:
                f.write(f"[Landlockd]\n{line}")

    renamed = CONFIG.replace(INSTANCE, f"{INSTANCE}-b")
    with Kept(bus=False, config=CONFIG) as daemon:
        before = sorted(instances())
        assert before and f"{INSTANCE}-b-tasks" not in before, before
        daemon.configure(CONFIG + "MaxRules=7\n")
        daemon.stop()
        assert sorted(instances()) == before, instances()
        daemon.start()

        daemon.configure(renamed)
        daemon.stop()
        assert instances() == []
        daemon.start()
        assert f"{INSTANCE}-b-tasks" in instances() and not set(before) & set(instances()), instances()

        # The next one would not start.
        daemon.configure("TraceInstance=../no\n")
        daemon.stop()
        assert instances() == []


def held_by_another():
    """The second does without, says so, and leaves the first alone; audit goes on."""
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as first, Daemon(bus=False, config=CONFIG) as second:
        status = source(second)
        assert status["state"] == "unavailable" and "in use by another landlockd" in status["reason"], status
        second_client = second.client()
        (truth,) = sandbox("fs.write_file")
        assert second_client.until_freed({truth["pid"]}, 1)
        second.stop()
        client = first.client()
        emitter.deny_write(0x20b)
        client.until(lambda e: e["type"] == "denial" and e["origin"] == ["trace"])


def missing_events_and_fields():
    without = {"deny_ptrace": ["domain_id"], "add_rule_net_port": "all", "deny_access_fs": ["pathname"]}
    with Emitter(without) as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        status = source(daemon)
        assert status["state"] == "degraded" and "rules for ports" in status["reason"] and \
            "pathname of landlock_deny_access_fs" in status["reason"], status
        assert "landlock_deny_ptrace cannot be used" in daemon.messages() and "domain_id" in daemon.messages()
        client = daemon.client()
        emitter.deny_write(0x20b, ino=5)
        (denial,) = [e for e in client.until(lambda e: e["type"] == "denial") if e["type"] == "denial"]
        assert denial["object"]["ino"] == 5 and "path" not in denial["object"], denial


# Restricts itself, starts a process, is denied something, and starts another.
SELF_RESTRICTED = """
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
handled = ctypes.c_uint64(2)
ruleset = libc.syscall(444, ctypes.byref(handled), 8, 0)
assert ruleset >= 0 and libc.prctl(38, 1, 0, 0, 0) == 0 and libc.syscall(446, ruleset, 0) == 0
early = subprocess.Popen(["sleep", "60"])
try:
    os.open("/etc/passwd", os.O_WRONLY)
    sys.exit("not denied")
except PermissionError:
    print(early.pid, flush=True)
sys.stdin.readline()
late = subprocess.Popen(["sleep", "61"])
print(late.pid, flush=True)
sys.stdin.readline()
early.kill()
late.kill()
"""


def no_events():
    """A kernel without Landlock trace events, and no BPF programs: said; the descendants of whom audit names are found, and
    followed."""
    if KERNEL_HAS_EVENTS:
        raise Skip("the kernel has the events")
    with Daemon(bus=False, config=CONFIG + "Bpf=no\n") as daemon:
        status = source(daemon)
        assert status["state"] == "degraded" and "Linux 7.3" in status["reason"], status
        client = daemon.client()
        process = subprocess.Popen([sys.executable, "-c", SELF_RESTRICTED], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True)
        early = int(process.stdout.readline())
        domain = client.until(lambda e: e["type"] == "process" and e["pid"] == early)[-1]["domain"]
        process.stdin.write("\n")
        process.stdin.flush()
        late = int(process.stdout.readline())
        client.until(lambda e: e["type"] == "process" and e["pid"] == late and e["comm"] == "sleep")

        def processes():
            return {e["pid"]: e["known"] for e in client.ask(op="snapshot") if e["type"] == "process" and e["domain"] == domain}

        known = processes()
        assert known == {process.pid: "kernel", early: "inferred", late: "inferred"}, (known, process.pid, early, late)
        process.communicate("\n")
        client.until(lambda e: e["type"] == "domain" and e["change"] == "freed" and e["domain"] == domain)
        assert not processes()


# Where something can be mounted before tracefs is again, in the mount of sysfs.
DEBUGFS = "/sys/kernel/debug"


def tracefs_unavailable():
    def in_namespace(commands):
        return ["unshare", "--mount", "sh", "-c", f"{commands}; exec \"$@\"", "sh"]

    # Not there: it is mounted, in this mount namespace alone.
    with Daemon(bus=False, config=CONFIG, wrapper=in_namespace(f"umount -l {TRACEFS}")) as daemon:
        assert source(daemon)["state"] in ("degraded", "active"), source(daemon)
    # Not there, and not to be had.
    no_mount = in_namespace(f"umount -l {TRACEFS}") + ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    with Daemon(bus=False, config=CONFIG, wrapper=no_mount) as daemon:
        status = source(daemon)
        assert status["state"] == "unavailable" and "not mounted" in status["reason"], status
        client = daemon.client()
        (truth,) = sandbox("fs.write_file")
        assert client.until_freed({truth["pid"]}, 1), "audit must go on"
    # There twice, as debugfs has it, too; for us only where it has its place.
    twice = in_namespace(f"umount -l {TRACEFS} && mount -t tracefs nodev {DEBUGFS} && "
                         f"mount -o remount,bind,ro {DEBUGFS} && mount -t tracefs nodev {TRACEFS}")
    with Daemon(bus=False, config=CONFIG, wrapper=twice) as daemon:
        assert source(daemon)["state"] in ("degraded", "active"), source(daemon)
    # There, but not for us.
    read_only = in_namespace(f"mount --bind {TRACEFS} {TRACEFS} && mount -o remount,bind,ro {TRACEFS}")
    with Daemon(bus=False, config=CONFIG, wrapper=read_only) as daemon:
        status = source(daemon)
        assert status["state"] == "unavailable" and "Read-only" in status["reason"], status


def switched_off():
    with Daemon(bus=False, config=CONFIG + "Trace=no\n") as daemon:
        assert source(daemon)["state"] == "off", source(daemon)
        assert instances() == []


def idle():
    """Nothing wakes it up: no timer, and no fork as long as there is no sandbox."""
    with Emitter(), Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        time.sleep(1)

        def wake_ups():
            before = daemon.proc_status("voluntary_ctxt_switches")
            for _ in range(300):
                subprocess.run(["true"], check=True)
            time.sleep(1)
            return daemon.proc_status("voluntary_ctxt_switches") - before

        # Audit may have something to say of others on this machine, once.
        assert min(wake_ups() for _ in range(2)) <= 2
        client.close()


def wake_ups_are_bounded():
    """With a sandbox, the forks of others cost some twenty wake-ups a second, however many they are."""
    with Emitter() as emitter, Daemon(bus=False, config=CONFIG) as daemon:
        client = daemon.client()
        client.ask(op="subscribe", types=["process"])
        emitter.make_domain(0x20b)
        client.until(lambda e: e["type"] == "process" and e["domain"] == "20b")
        start, before, n = time.monotonic(), daemon.proc_status("voluntary_ctxt_switches"), 0
        while time.monotonic() < start + 3:
            subprocess.run(["true"], check=True)
            n += 1
        switches, took = daemon.proc_status("voluntary_ctxt_switches") - before, time.monotonic() - start
        assert switches <= took * 2 / 0.09 + 1, (switches, took, n)
        assert client.next(timeout=0.1) is None


tests = [
    ("the life of a domain", life_of_a_domain),
    ("processes in a domain are followed", processes_are_followed),
    ("order over CPUs", order_over_cpus),
    ("latency", latency),
    ("overruns are counted exactly", overruns_are_counted),
    ("a flood of trace events without loss", flood),
    ("what a killed daemon left is read", leftovers_are_read),
    ("instances are removed at the end", exit_removes_instances),
    ("instances are kept under their name", kept_under_its_name),
    ("an instance held by another", held_by_another),
    ("missing events and fields", missing_events_and_fields),
    ("a kernel without the events", no_events),
    ("tracefs that is not available", tracefs_unavailable),
    ("switched off", switched_off),
    ("no wake-ups when idle", idle),
    ("few wake-ups when others fork", wake_ups_are_bounded),
]

if __name__ == "__main__":
    run(tests)
