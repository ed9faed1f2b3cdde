#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Subscriptions as programs that share nothing with landlockd meet them: two other D-Bus libraries (dbus-python, which
is libdbus, and GLib's GDBus), gdbus, real denials, and the counts of the JSON socket to hold them against."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import dbus
import dbus.bus
import dbus.mainloop.glib
from gi.repository import Gio, GLib

from harness import PATIENCE, SANDBOX, Daemon, Skip, eventually, run

NAME = "io.landlock.Landlockd1"
PATH = "/io/landlock/Landlockd1"
MANAGER = f"{NAME}.Manager"

# Whose sandboxes these tests are about: what else goes on on the machine is nobody's of these. The system knows both, by
# whatever name, since dbus-daemon lets in nobody else.
ALICE, BOB, NOBODY = 1, 2, 65534

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)


def plain(value):
    """The values of both libraries as Python's own."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (dbus.Boolean, bool)):
        return bool(value)
    return int(value) if isinstance(value, int) else str(value)


class Signals:
    """What a subscriber was told."""

    def __init__(self):
        self.denials = []  # one list of dictionaries for each signal
        self.missed = 0
        self.others = []   # member, path, arguments

    def take(self, member, path, arguments):
        if member == "Denials":
            self.denials.append(arguments[1])
        elif member == "Missed":
            self.missed += arguments[1]
        else:
            self.others.append((member, path, arguments))

    def entries(self):
        return [entry for batch in self.denials for entry in batch]

    def count(self):
        return sum(entry["Count"] for entry in self.entries())

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come; there were {self.denials[-2:]} {self.others[-3:]}"
            GLib.timeout_add(50, lambda: False)
            GLib.MainContext.default().iteration(True)

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            GLib.timeout_add(50, lambda: False)
            GLib.MainContext.default().iteration(True)


class PythonSubscriber(Signals):
    """dbus-python. It takes what comes to its connection by a filter: no match rule is set."""

    def __init__(self, address, uid=ALICE, **filter):
        super().__init__()
        if uid is not None:
            filter["uid"] = dbus.UInt32(uid)
        self.connection = dbus.bus.BusConnection(address)
        self.connection.add_message_filter(self.on_message)
        self.manager = dbus.Interface(self.connection.get_object(NAME, PATH, introspect=False), MANAGER)
        self.cookie = self.manager.Subscribe(dbus.Dictionary(filter, signature="sv"), signature="a{sv}")

    def on_message(self, _connection, message):
        if message.get_type() == 4 and message.get_sender() != "org.freedesktop.DBus":
            self.take(message.get_member(), message.get_path(), plain(message.get_args_list()))
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED

    def close(self):
        self.connection.close()


class GLibSubscriber(Signals):
    """GDBus. Its thread answers for itself."""

    def __init__(self, address, uid=ALICE, **filter):
        super().__init__()
        if uid is not None:
            filter["uid"] = GLib.Variant("u", uid)
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.connection.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NO_MATCH_RULE, self.on_signal)
        self.cookie, = self.connection.call_sync(
            NAME, PATH, MANAGER, "Subscribe", GLib.Variant("(a{sv})", (filter,)), None, 0, -1, None).unpack()

    def on_signal(self, _connection, _sender, path, _interface, member, arguments):
        self.take(member, path, plain(arguments.unpack()))

    def close(self):
        self.connection.close_sync(None)


def start_sandbox(daemon, *arguments, uid=ALICE):
    """Runs the sandbox program as that user."""
    program = f"{daemon.directory}/sandbox"
    if not os.path.exists(program):
        shutil.copy(SANDBOX, program)
    return subprocess.Popen(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", program, "--json", *arguments],
                            stdout=subprocess.PIPE, text=True, cwd="/tmp")


def sandbox(daemon, *arguments, uid=ALICE):
    process = start_sandbox(daemon, *arguments, uid=uid)
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, f"sandbox {arguments} ended with {process.returncode}"
    return [json.loads(line) for line in output.splitlines()]


def counters(daemon):
    connection = dbus.bus.BusConnection(daemon.bus.address)
    manager = dbus.Interface(connection.get_object(NAME, PATH, introspect=False), "org.freedesktop.DBus.Properties")
    result = plain(manager.Get(MANAGER, "Counters"))
    connection.close()
    return result


def list_denial(daemon, number):
    connection = dbus.bus.BusConnection(daemon.bus.address)
    manager = dbus.Interface(connection.get_object(NAME, PATH, introspect=False), MANAGER)
    options = dbus.Dictionary({"since": dbus.UInt64(number), "limit": dbus.UInt32(1)}, signature="sv")
    (seq, denial), = manager.ListDenials(options)[0]
    connection.close()
    assert seq == number, (seq, number)
    return plain(denial)


def told_as_listed(daemon, entry):
    """Beside its own members, an entry is what ListDenials() tells."""
    own = {key: entry[key] for key in ("ID", "Count", "First", "Last")}
    rest = {key: value for key, value in entry.items() if key not in own}
    assert rest == list_denial(daemon, own["ID"]), (rest, list_denial(daemon, own["ID"]))
    assert own["First"] == entry["Time"] and own["Last"] >= own["First"] and own["Count"] >= 1, own


def each_once():
    """Many kinds of denials, by both libraries at once: all of them, none twice, with what there is to know."""
    with Daemon(config="MaxDenials=262144\n") as daemon:
        client = daemon.client()
        subscribers = [PythonSubscriber(daemon.bus.address), GLibSubscriber(daemon.bus.address)]
        truths = sandbox(daemon, "fs.write_file", "fs.read_dir", "net.bind_tcp", "scope.signal", "--count=5")
        events = client.until_freed({t["pid"] for t in truths}, len(truths))
        denials = [e for e in events if e["type"] == "denial" and e["subject"].get("uid") == ALICE]
        assert len(denials) == sum(e.get("count", 1) for t in truths for e in t["expected"]), len(denials)
        for subscriber in subscribers:
            subscriber.until(lambda s=subscriber: s.count() >= len(denials), f"{len(denials)} denials")
            subscriber.listen(0.6)
            assert subscriber.count() == len(denials) and subscriber.missed == 0, (subscriber.count(), len(denials))
            ids = [entry["ID"] for entry in subscriber.entries()]
            assert len(set(ids)) == len(ids), ids
            for entry in subscriber.entries():
                told_as_listed(daemon, entry)
            by_domain = {}
            for entry in subscriber.entries():
                by_domain[entry["HexID"]] = by_domain.get(entry["HexID"], 0) + entry["Count"]
            for domain, count in by_domain.items():
                assert count == len([e for e in denials if e["domain"] == domain]), (domain, count)
            subscriber.close()


def first_at_once():
    """After a quiet time nobody is kept waiting by the batches: it comes as soon as on the JSON socket."""
    with Daemon() as daemon:
        client, subscriber = daemon.client(), PythonSubscriber(daemon.bus.address)
        sandbox(daemon, "fs.write_file")
        subscriber.until(lambda: subscriber.denials, "a denial")
        subscriber.listen(0.5)
        truth, = sandbox(daemon, "fs.write_file")
        client.until(lambda e: e["type"] == "denial" and e.get("subject", {}).get("pid") == truth["pid"])
        published = time.monotonic()
        subscriber.until(lambda: len(subscriber.denials) > 1, "another denial")
        assert time.monotonic() - published < 0.2, time.monotonic() - published
        subscriber.close()


def flood():
    """100,000 denials in a tight loop are few signals, all counted, and the daemon stays small."""
    with Daemon() as daemon:
        client = daemon.client()
        assert client.ask(op="subscribe", types=["domain", "lost"])[-1]["ok"]
        subscriber = PythonSubscriber(daemon.bus.address)
        before = daemon.proc_status("VmRSS")
        begun = time.monotonic()
        process = start_sandbox(daemon, "--count=100000", "flood")
        while process.poll() is None:
            subscriber.listen(0.1)
        truth = json.loads(process.communicate()[0])
        seen = client.until_freed({truth["pid"]}, 1)[-1]["denials"]["seen"]
        subscriber.until(lambda: subscriber.count() >= seen, f"{seen} denials")
        seconds = time.monotonic() - begun
        assert seen > 50000, seen
        assert subscriber.count() == seen and subscriber.missed == 0, (subscriber.count(), seen)
        assert len(subscriber.denials) <= 4 * seconds + 2, (len(subscriber.denials), seconds)
        assert len(subscriber.entries()) == len(subscriber.denials), "one domain, blocker and object are one entry"
        # What the table may hold of denials and events is the same without a subscriber.
        assert daemon.proc_status("VmRSS") - before < 64 * 1024, daemon.proc_status("VmRSS") - before
        subscriber.close()
        print(f"# {seen} denials in {seconds:.1f} s: {len(subscriber.denials)} signals")


def listen_as(address, uid, asked, seconds):
    """The main function of a Listener."""
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    try:
        subscriber = GLibSubscriber(address, uid=asked)
    except GLib.Error as e:
        print(json.dumps({"error": e.message}), flush=True)
        return
    print("{}", flush=True)
    subscriber.listen(seconds)
    # What waited while the process was stopped.
    subscriber.listen(1)
    print(json.dumps({
        "count": subscriber.count(), "entries": len(subscriber.entries()), "signals": len(subscriber.denials),
        "missed": subscriber.missed, "uids": sorted({e["Subject"].get("uid", -1) for e in subscriber.entries()}),
    }), flush=True)


class Listener:
    """A subscriber in a process of its own, perhaps another user's."""

    def __init__(self, daemon, uid, seconds, asked=ALICE):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--listen", daemon.bus.address, str(uid), json.dumps(asked), str(seconds)],
            stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def end(self):
        line = self.process.stdout.readline()
        self.process.wait()
        self.process.stdout.close()
        return json.loads(line) if line else None


def never_reads():
    """A subscriber that is stopped has one batch on its way, for the bus as for landlockd; others are told as ever; and
    when it reads again it is told what fits, and how much it missed."""
    with Daemon() as daemon:
        stopped, reader = Listener(daemon, 0, 1), PythonSubscriber(daemon.bus.address)
        stopped.process.send_signal(signal.SIGSTOP)
        sandbox(daemon, "fs.write_file")
        reader.until(lambda: reader.count() >= 1, "a denial")
        reader.listen(0.5)
        before, bus_before = counters(daemon), rss(daemon.bus.process.pid)
        for _ in range(5):
            sandbox(daemon, "many", "--domains=300")
            reader.listen(0.5)
        total = 1 + 5 * 300
        reader.until(lambda: reader.count() + reader.missed >= total, f"{total} denials")
        after = counters(daemon)
        # All of them were the reader's.
        assert after["bus_denials_told"] - before["bus_denials_told"] == reader.count() - 1, (before, after, reader.count())
        assert rss(daemon.bus.process.pid) - bus_before < 8 * 1024, rss(daemon.bus.process.pid) - bus_before
        assert daemon.ctl("status").returncode == 0

        stopped.process.send_signal(signal.SIGCONT)
        told = stopped.end()
        assert told["signals"] == 2 and told["entries"] <= 1 + 128, told
        assert told["count"] + told["missed"] == total and told["missed"] > 0, told
        reader.close()


def rss(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def gone():
    """A subscriber that is killed is forgotten, with what it was not told."""
    with Daemon() as daemon:
        listener = Listener(daemon, 0, 60)
        assert counters(daemon)["bus_subscriptions"] == 1
        listener.process.send_signal(signal.SIGSTOP)
        sandbox(daemon, "many", "--domains=50")
        listener.process.send_signal(signal.SIGKILL)
        assert listener.end() is None
        eventually(lambda: counters(daemon)["bus_subscriptions_ended"] == 1, "forgetting the subscriber")
        told = counters(daemon)["bus_signals"]
        sandbox(daemon, "fs.write_file")
        time.sleep(0.5)
        assert counters(daemon)["bus_signals"] == told


def not_broadcast():
    """Who listens without having subscribed to it hears nothing: gdbus, and a connection with a match rule for all."""
    with Daemon() as daemon:
        address = daemon.bus.address
        monitor = subprocess.Popen(["gdbus", "monitor", "--address", address, "--dest", NAME], stdout=subprocess.PIPE, text=True)
        while "is owned by" not in monitor.stdout.readline():
            pass
        bystander = PythonSubscriber(address, domain=dbus.UInt64(1))
        bystander.connection.add_match_string("type='signal'")
        subscriber = PythonSubscriber(address, domains=dbus.Boolean(True))
        sandbox(daemon, "fs.write_file")
        subscriber.until(lambda: subscriber.count() >= 1 and len(subscriber.others) >= 2, "a denial and its domain")
        bystander.listen(0.5)
        assert not bystander.denials and not bystander.others, (bystander.denials, bystander.others)
        for s in (subscriber, bystander):
            s.close()
        daemon.stop()
        line = monitor.stdout.readline()
        assert "does not have an owner" in line, line
        monitor.terminate()
        monitor.wait()
        monitor.stdout.close()


def domains():
    """A domain comes, changes and goes, by the signals that generic clients know as well."""
    with Daemon() as daemon:
        subscriber = GLibSubscriber(daemon.bus.address, domains=GLib.Variant("b", True))
        process = start_sandbox(daemon, "--hold=2", "--count=3", "fs.write_file")
        process.stdout.readline()
        members = lambda: [member for member, _, _ in subscriber.others]
        subscriber.until(lambda: "DomainRemoved" in members(), "the end of the domain")
        process.communicate()

        added = members().index("DomainAdded")
        _, _, (path, interfaces) = subscriber.others[members().index("InterfacesAdded")]
        number, path_again = subscriber.others[added][2]
        assert path == path_again and interfaces[f"{NAME}.Domain"]["ID"] == number, subscriber.others
        assert path == f"{PATH}/domain/_{number:x}", path
        for member, at, arguments in subscriber.others:
            if member == "PropertiesChanged":
                assert at == path and arguments[0] == f"{NAME}.Domain" and arguments[1], (at, arguments)
        assert subscriber.others[-1] == ("DomainRemoved", PATH, [number, path]), subscriber.others[-1]
        assert subscriber.others[-2] == ("InterfacesRemoved", PATH, [path, [f"{NAME}.Domain"]]), subscriber.others[-2]
        subscriber.close()


def restart():
    """Subscriptions end with landlockd; who watches the name's owner subscribes again."""
    with Daemon() as daemon:
        subscriber = PythonSubscriber(daemon.bus.address)
        owners = []
        subscriber.connection.watch_name_owner(NAME, owners.append)
        subscriber.until(lambda: owners and owners[-1] != "", "the owner")
        daemon.stop(signal.SIGKILL)
        subscriber.until(lambda: owners[-1] == "", "the end of the owner")
        daemon.start()
        subscriber.until(lambda: owners[-1] != "", "the next owner")
        again = PythonSubscriber(daemon.bus.address)
        sandbox(daemon, "fs.write_file")
        again.until(lambda: again.count() == 1, "a denial")
        assert not subscriber.denials
        for s in (subscriber, again):
            s.close()


def two_users():
    """Each is told of their own denials only, and root of all."""
    with Daemon() as daemon:
        client = daemon.client()
        listeners = {uid: Listener(daemon, uid, 4, asked=None) for uid in (0, ALICE, BOB, NOBODY)}
        refused = [listener.ready["error"] for listener in listeners.values() if "error" in listener.ready]
        if any("CallerDomainUnknown" in error for error in refused):
            for listener in listeners.values():
                listener.end()
            raise Skip("landlockd cannot tell on this system whether a caller is in a domain")
        assert not refused, refused
        counts = {ALICE: 3, BOB: 5}
        for uid, count in counts.items():
            truth, = sandbox(daemon, f"--count={count}", "fs.write_file", uid=uid)
            client.until_freed({truth["pid"]}, 1)
        told = {uid: listener.end() for uid, listener in listeners.items()}
        assert {ALICE, BOB} <= set(told[0]["uids"]) and told[0]["count"] >= sum(counts.values()), told
        for uid, count in counts.items():
            assert told[uid]["count"] == count and told[uid]["uids"] == [uid] and told[uid]["missed"] == 0, told
        assert told[NOBODY]["count"] == 0 and told[NOBODY]["missed"] == 0, told


if sys.argv[1:2] == ["--listen"]:
    listen_as(sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4]), float(sys.argv[5]))
    sys.exit(0)

run([
    ("every denial is told once, to two foreign libraries", each_once),
    ("the first denial is told at once", first_at_once),
    ("a flood of 100,000 denials is few signals", flood),
    ("a subscriber that does not read is capped, and told what it missed", never_reads),
    ("a subscriber that is gone is forgotten", gone),
    ("nothing is broadcast", not_broadcast),
    ("domains come, change and go", domains),
    ("subscriptions end with landlockd", restart),
    ("users are told of their own denials only", two_users),
])
