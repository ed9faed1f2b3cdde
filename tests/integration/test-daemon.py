#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon as those who run it meet it: starting, refusing to start, the kernel's audit setting, restarts, hostile
and slow neighbours, floods."""

import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time

from harness import (LANDLOCKCTL, LANDLOCKD, SANDBOX, WITHOUT, Daemon, audit_state, eventually, run, sandbox,
                     set_audit_state)

NETLINK_AUDIT = 9


def start_fails(code, sentence, config="", wrapper=(), **options):
    """landlockd must end with this code and one sentence that says this."""
    daemon = Daemon(config=config, wrapper=wrapper, bus=False, **options)
    result = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=30)
    lines = result.stderr.strip().splitlines()
    assert result.returncode == code, f"ended with {result.returncode}: {result.stderr}"
    assert len(lines) == 1, f"not one sentence: {result.stderr}"
    assert sentence in lines[0], f"{lines[0]!r} does not say {sentence!r}"
    daemon.log = open(os.devnull)


def unprivileged():
    with tempfile.TemporaryDirectory() as directory:
        os.mkdir(f"{directory}/run")
        os.chown(f"{directory}/run", 65534, 65534)
        start_fails(4, "CAP_AUDIT_READ", wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
                    directory=directory)
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", LANDLOCKD, "--bus=none",
                             "--config=/dev/null", "--runtime-dir=/run/landlockd-test-none"], capture_output=True, text=True)
    assert result.returncode == 4 and "as root" in result.stderr, result


def no_landlock():
    start_fails(5, "has no Landlock (not built in)", wrapper=[WITHOUT, "landlock"])
    start_fails(5, "not enabled at boot", wrapper=[WITHOUT, "landlock-enabled"])


def no_audit():
    start_fails(1, "built without audit", config="Audit=yes\n", wrapper=[WITHOUT, "audit"])
    with Daemon(wrapper=[WITHOUT, "audit"]) as daemon:
        status = daemon.client().hello
        (source,) = [s for s in status["sources"] if s["name"] == "audit"]
        assert source["state"] == "unavailable" and "CONFIG_AUDIT" in source["reason"], source
        assert "CONFIG_AUDIT" in daemon.ctl("status").stdout


def wrong_config():
    start_fails(6, ".conf:2: unknown setting MaxDomain:", config="MaxDomain=3\n")
    start_fails(6, ".conf:3: Audit=perhaps", config="\nAudit=perhaps\n")
    result = subprocess.run([LANDLOCKD, "--nonsense"], capture_output=True, text=True)
    assert result.returncode == 2, result
    result = subprocess.run([LANDLOCKD, "argument"], capture_output=True, text=True)
    assert result.returncode == 2 and "argument" in result.stderr, result


def address_in_use():
    with Daemon() as daemon:
        second = subprocess.run(daemon.command(), capture_output=True, text=True)
        assert second.returncode == 7 and "Another landlockd" in second.stderr, second
        command = daemon.command()
        command[2] = f"--runtime-dir={daemon.directory}/other"
        second = subprocess.run(command, capture_output=True, text=True)
        assert second.returncode == 7 and "io.landlock.Landlockd1" in second.stderr, second
        assert daemon.client().hello
    with Daemon(bus=False) as daemon:
        # Somebody else's socket at our address.
        daemon.stop()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{daemon.runtime}/telemetry.sock")
        listener.listen()
        second = subprocess.run(daemon.command(), capture_output=True, text=True)
        assert second.returncode == 7 and "telemetry.sock" in second.stderr, second
        listener.close()
        # Left behind by one that is gone: no obstacle.
        daemon.start()
        assert daemon.client().hello


def audit_restored():
    set_audit_state("enabled=0 backlog_limit=64")
    with Daemon(bus=False):
        assert audit_state() == "enabled=1 backlog_limit=8192", audit_state()
    assert audit_state() == "enabled=0 backlog_limit=64", audit_state()


def audit_restored_after_kill():
    set_audit_state("enabled=0 backlog_limit=64")
    with Daemon(bus=False) as daemon:
        daemon.stop(signal.SIGKILL)
        assert audit_state() == "enabled=1 backlog_limit=8192", audit_state()
        daemon.start()
    assert audit_state() == "enabled=0 backlog_limit=64", audit_state()


def audit_left_alone():
    set_audit_state("enabled=0 backlog_limit=64")
    with Daemon(bus=False, config="Audit=no\n") as daemon:
        assert audit_state() == "enabled=0 backlog_limit=64"
        (source,) = [s for s in daemon.client().hello["sources"] if s["name"] == "audit"]
        assert source["state"] == "degraded" and "Audit=no" in source["reason"], source

        # Switched on by somebody else: seen, used, and left on.
        set_audit_state("enabled=1 backlog_limit=1024")
        client = daemon.client()
        eventually(lambda: client.ask(op="status")[0]["sources"][0]["state"] == "active", "noticing that audit is on")
        (truth,) = sandbox("fs.write_file")
        client.until_freed({truth["pid"]}, 1)
    assert audit_state() == "enabled=1 backlog_limit=1024", audit_state()
    set_audit_state("enabled=0 backlog_limit=64")


def audit_switched_off_meanwhile():
    set_audit_state("enabled=0 backlog_limit=64")
    with Daemon(bus=False) as daemon:
        client = daemon.client()
        set_audit_state("enabled=0 backlog_limit=64")
        eventually(lambda: client.ask(op="status")[0]["sources"][0]["state"] == "degraded", "noticing that audit is off")
    assert audit_state() == "enabled=0 backlog_limit=64", audit_state()


def without_audit_context():
    """A process without audit context (made before audit was first on, or under the rule `-a never,task`) is denied
    without a SYSCALL record: the denial counts all the same, before its domain's end, and claims no subject."""
    with Daemon(bus=False) as daemon:
        client = daemon.client()
        set_audit_state("no-task-contexts")
        try:
            (truth,) = sandbox("fs.write_file", "--count=3")
        finally:
            set_audit_state("task-contexts")
        events = client.until_freed({truth["pid"]}, 1)
        denials = [e for e in events if e["type"] == "denial"]
        assert len(denials) == 3 and not [e for e in denials if "syscall" in e or "subject" in e], denials
        assert events[-1]["denials"] == {"seen": 3, "kernel": 3, "unseen": 0}, events[-1]


def forged_message():
    """Another privileged process writes to landlockd's socket what looks like the kernel's words."""
    with Daemon(bus=False) as daemon:
        client = daemon.client()
        with open("/proc/net/netlink") as f:
            ports = [int(line.split()[2]) for line in f.readlines()[1:] if line.split()[1] == str(NETLINK_AUDIT)]
        forger = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
        forger.bind((0, 0))
        text = b"audit(1795308514.891:2): domain=f0f0f0f0f blockers=fs.write_file path=\"/forged\""
        message = struct.pack("=IHHII", 16 + len(text), 1423, 0, 0, 0) + text
        for port in ports:
            if port not in (0, forger.getsockname()[0]):
                try:
                    forger.sendto(message, (port, 0))
                except OSError:
                    pass
        eventually(lambda: client.ask(op="status")[0]["counters"]["audit_foreign"] > 0, "counting the forgery")
        lines = client.ask(op="snapshot")
        assert not [e for e in lines if e.get("domain") == "f0f0f0f0f"]


def slow_client():
    """A client that does not read loses its own events only, is told so, and the daemon's memory stays."""
    with Daemon(bus=False, config="JsonHistorySize=1M\n") as daemon:
        slow, quick = daemon.client(), daemon.client()
        assert quick.ask(op="subscribe", types=["domain", "lost"])[-1]["ok"]
        before = daemon.proc_status("VmRSS")
        (truth,) = sandbox("flood", "--count=20000")
        events = quick.until_freed({truth["pid"]}, 1)
        changes = [e["change"] for e in events]
        assert changes[0] == "added" and changes[-1] == "freed" and set(changes[1:-1]) <= {"updated"}, events

        last = events[-1]["seq"]
        events = slow.until(lambda e: e.get("seq", 0) >= last and e["type"] == "domain")
        (lost,) = [e for e in events if e["type"] == "lost"]
        assert lost["cause"] == "slow-client" and lost["source"] == "client", lost
        received = [e["seq"] for e in events if e["type"] != "lost"]
        assert len(received) + lost["count"] == last - received[0] + 1, (len(received), lost, last)
        assert lost["last_seq"] - lost["first_seq"] + 1 == lost["count"]
        assert daemon.proc_status("VmRSS") - before < 24 * 1024, "memory grew"


def many_clients():
    with Daemon(bus=False, config="JsonMaxClients=20\n") as daemon:
        clients = [daemon.client() for _ in range(20)]
        rejected = socket.socket(socket.AF_UNIX)
        rejected.connect(f"{daemon.runtime}/telemetry.sock")
        rejected.settimeout(10)
        answer = b""
        while data := rejected.recv(4096):
            answer += data
        assert json.loads(answer)["error"]["name"] == "too-many-clients", answer
        (truth,) = sandbox("fs.make_dir")
        for client in clients:
            events = client.until_freed({truth["pid"]}, 1)
            assert [e["type"] for e in events if e["type"] == "denial"] == ["denial"]


def bad_requests():
    with Daemon(bus=False) as daemon:
        client = daemon.client()
        for line in (b"nonsense\n", b"{}\n", b'{"op":7}\n', b'{"op":"fly"}\n', b'{"op":"replay"}\n', b"[" * 4000 + b"\n",
                     b'{"op":"subscribe","types":["what"]}\n', b'{"op":"replay","since":-1}\n', b"\xff\xfe\n",
                     b'{"op":"subscribe","domains":["xyz"]}\n'):
            client.socket.sendall(line)
            reply = client.next()
            assert reply["type"] == "reply" and reply["ok"] is False and reply["error"]["message"], (line, reply)
        counters = client.ask(op="status")[0]["counters"]
        assert counters["json_requests_bad"] == 10, counters
        client.socket.sendall(b"x" * 5000)
        reply = client.next()
        assert reply["type"] == "reply" and not reply["ok"], reply
        assert client.next() is None, "an endless line must end the connection"


def snapshot_and_replay():
    with Daemon(bus=False) as daemon:
        holder = subprocess.Popen([SANDBOX, "--json", "--hold=60", "fs.write_file"], stdout=subprocess.DEVNULL)
        client = daemon.client()
        watcher = daemon.client()
        watcher.ask(op="replay", since=0)
        watcher.until(lambda e: e["type"] == "denial")

        lines = client.ask(op="snapshot")
        (domain,) = [e for e in lines if e["type"] == "domain" and e["state"] == "allocated"]
        assert domain["creator"]["comm"] == "sandbox" and domain["denials"]["seen"] == 1, domain
        assert [e for e in lines if e["type"] == "process" and e["domain"] == domain["domain"]]
        assert lines[-1]["ok"] and lines[-1]["domains"] >= 1

        late = daemon.client()
        late.ask(op="replay", since=0)
        (denial,) = [e for e in late.until(lambda e: e["type"] == "denial") if e["type"] == "denial"]
        assert denial["domain"] == domain["domain"] and denial["blockers"] == ["fs.write_file"]
        holder.send_signal(signal.SIGTERM)
        holder.wait()


def subscription():
    with Daemon(bus=False) as daemon:
        client = daemon.client()
        assert client.ask(op="subscribe", types=["denial"], blockers=["fs.make_dir"])[-1]["ok"]
        sandbox("fs.write_file", "fs.make_dir", "fs.read_file")
        event = client.next()
        assert event["type"] == "denial" and event["blockers"] == ["fs.make_dir"], event
        assert client.next(timeout=2) is None


def flood():
    """Nothing is lost of a sandboxed loop, at the kernel's full speed; or the kernel says that it dropped it, as it does on
    a machine that has no time for landlockd, and each denial is accounted for."""
    count = 200000
    with Daemon(bus=False) as daemon:
        client, asker = daemon.client(), daemon.client()
        assert asker.ask(op="subscribe", types=["lost"])[-1]["ok"]
        assert client.ask(op="subscribe", types=["domain", "lost"])[-1]["ok"]
        (truth,) = sandbox("flood", f"--count={count}")
        events = client.until_freed({truth["pid"]}, 1)
        (mark,) = sandbox("fs.write_file")  # shows what was dropped before it
        events += client.until_freed({mark["pid"]}, 1)
        (told,) = [e["denials"] for e in events if e["type"] == "domain" and e["change"] == "freed" and
                   e.get("creator", {}).get("pid") == truth["pid"]]

        seen, counters = told["seen"], {}

        def dropped():
            return counters["audit_overflows"] + counters["audit_kernel_lost"] > 0

        def accounted():
            """The kernel is asked for what it lost a little later. What it says may be of any record of an event."""
            counters.update(asker.ask(op="status")[0]["counters"])
            missing = counters["audit_events_missing"]
            of_some = counters["audit_events_incomplete"] + counters["audit_kernel_lost"]
            return missing <= count + 1 - seen and count - seen <= missing + of_some and (dropped() or seen == count)

        eventually(accounted, "accounting for each denial")
        lost = [e for e in events if e["type"] == "lost"]
        assert dropped() or not lost, lost
        if seen < count and not lost:
            client.until(lambda e: e["type"] == "lost", "word of what was lost")
        # Its end may be among what was dropped.
        assert told == {"kernel": count, "seen": seen, "unseen": count - seen} or told == {"seen": seen} and seen < count, told


def burst():
    """What the receive buffer can hold is not lost, however long landlockd gets no time."""
    count = 1000
    with Daemon(bus=False) as daemon:
        client = daemon.client()
        assert client.ask(op="subscribe", types=["domain", "lost"])[-1]["ok"]
        os.kill(daemon.process.pid, signal.SIGSTOP)
        (truth,) = sandbox("flood", f"--count={count}")
        os.kill(daemon.process.pid, signal.SIGCONT)
        events = client.until_freed({truth["pid"]}, 1)
        assert events[-1]["denials"] == {"kernel": count, "seen": count, "unseen": 0}, events[-1]["denials"]
        assert not [e for e in events if e["type"] == "lost"]


def loss_is_told():
    """With a receive buffer far too small, what is missing is counted and the domain's account says so."""
    with Daemon(bus=False, config="AuditReceiveBuffer=64K\n") as daemon:
        client = daemon.client()
        client.ask(op="subscribe", types=["domain", "lost"])
        os.kill(daemon.process.pid, signal.SIGSTOP)
        sandbox("flood", "--count=5000")
        os.kill(daemon.process.pid, signal.SIGCONT)
        client.until(lambda e: e["type"] == "lost" and e["cause"] == "socket-overflow")
        # The end of the domain was lost too; another event shows the gap before it.
        sandbox("fs.write_file")
        events = client.until(lambda e: e["type"] == "lost" and e["cause"] == "serial-gap")
        assert events[-1]["count"] > 3000, events[-1]
        counters = client.ask(op="status")[0]["counters"]
        assert counters["audit_overflows"] > 0 and counters["audit_events_missing"] > 3000


def idle():
    """No periodic wake-up."""
    with Daemon() as daemon:
        client = daemon.client()
        time.sleep(3)
        before = daemon.proc_status("voluntary_ctxt_switches")
        time.sleep(5)
        assert daemon.proc_status("voluntary_ctxt_switches") - before <= 2
        client.close()


def privileges_dropped():
    with Daemon(bus=False) as daemon:
        with open(f"/proc/{daemon.process.pid}/status") as f:
            effective = [int(line.split()[1], 16) for line in f if line.startswith(("CapEff", "CapPrm"))]
        # CAP_AUDIT_CONTROL, CAP_SYS_PTRACE
        assert effective == [1 << 30 | 1 << 19] * 2, [hex(e) for e in effective]


def replay_equals_live():
    """The kernel's own text through `landlockctl replay` gives what the daemon published."""
    with Daemon("Trace=no\nBpf=no\n", bus=False) as daemon:
        client = daemon.client()
        reader = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
        reader.bind((0, 1))
        reader.settimeout(3)
        (truth,) = sandbox("fs.write_file", "--count=5")
        live = client.until_freed({truth["pid"]}, 1)
        log = b""
        try:
            while True:
                data = reader.recv(10000)
                kind = struct.unpack_from("=H", data, 4)[0]
                log += b"type=UNKNOWN[%d] msg=%s\n" % (kind, data[16:].rstrip(b"\0\n"))
        except socket.timeout:
            pass
        result = subprocess.run([LANDLOCKCTL, "replay", "-"], input=log, capture_output=True, check=True)
        replayed = [json.loads(line) for line in result.stdout.splitlines()]

        def core(events):
            # The label is read from /proc.
            drop = ("seq", "boot_id", "machine_id", "domain_uuid", "denial", "label")
            return [{k: v for k, v in e.items() if k not in drop} for e in events if e["type"] in ("denial", "domain")]

        assert core(replayed) == core(live), (core(replayed), core(live))


tests = [
    ("started without privileges", unprivileged),
    ("started without Landlock", no_landlock),
    ("started without audit", no_audit),
    ("started with a wrong configuration", wrong_config),
    ("started with an address in use", address_in_use),
    ("audit is enabled and put back", audit_restored),
    ("audit is put back after a kill", audit_restored_after_kill),
    ("audit is left alone when told so", audit_left_alone),
    ("audit switched off meanwhile is noticed", audit_switched_off_meanwhile),
    ("denials of a process without audit context", without_audit_context),
    ("a forged message is ignored and counted", forged_message),
    ("a slow client loses only its own", slow_client),
    ("clients up to the limit", many_clients),
    ("bad requests get clear errors", bad_requests),
    ("snapshot and replay", snapshot_and_replay),
    ("subscription", subscription),
    ("a flood of denials without loss", flood),
    ("a burst while landlockd stands still", burst),
    ("loss is told", loss_is_told),
    ("no wake-ups when idle", idle),
    ("privileges are dropped", privileges_dropped),
    ("replay gives what was seen live", replay_equals_live),
]

if __name__ == "__main__":
    run(tests)
