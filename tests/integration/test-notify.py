#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""landlock-notify on a real desktop: what people get to read of real denials, how often, and what their clicks do."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from desktop import NOTIFY, USER, Desktop, about, demo
from harness import BUILDDIR, SANDBOX, Daemon, Skip, eventually, run

LOGS = f"{BUILDDIR}/logs"
WATCHING = "Watching what landlockd tells"


def landlockd():
    return Daemon("Trace=no\n")


def start(desktop, daemon, *options):
    agent = desktop.start_agent(daemon.bus.address, *options)
    agent.says(WATCHING, or_else="it answers only root")
    if WATCHING not in agent.messages():
        raise Skip("landlockd cannot tell here who is in a domain, and tells only root (no BPF)")
    return agent


def app(desktop, name):
    """The sandbox program under a name of its own."""
    path = f"{desktop.directory}/{name}"
    shutil.copy(SANDBOX, path)
    return path


def play(program, *arguments, user=None, **options):
    """Runs it as the one who sits there, or as root if user is {}."""
    subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL, timeout=300,
                   **(USER if user is None else user), **options)


def domain_of(daemon, program):
    """The one that it made, when it has ended and all is counted."""
    found = []

    def ended():
        found[:] = [d for d in daemon.ctl_json("list", "--all")
                    if d["state"] == "deallocated" and d["creator"].get("exe") == program]
        return found

    eventually(ended, "the domain's end")
    (domain,) = found
    return domain


def text_and_picture():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        play(app(desktop, "photo-viewer"), "demo")
        got = desktop.until_received(demo, "both denials")
        lines = got["body"].splitlines()
        assert got["summary"] == "photo-viewer: denied by its sandbox", got
        assert re.fullmatch(r"Blocked from sending a signal to (a process outside|bystander\[\d+\])", lines[0]), got
        assert lines[1:] == ["Blocked from connecting by TCP to 127.0.0.1:443"], got
        assert got["app_name"] == "Landlock" and got["category"] == "x-landlock.sandbox.denied", got
        assert got["desktop_entry"] == "landlock-notify", got

        # It was one notification all the time, the first time more important than later.
        all_of_it = [n for n in desktop.received() if about("photo-viewer")(n)]
        assert len({n["id"] for n in all_of_it}) == 1, all_of_it
        assert [n["urgency"] for n in all_of_it] == ["NORMAL"] + ["LOW"] * (len(all_of_it) - 1), all_of_it

        # The other words are those of files.
        os.mkdir(f"{desktop.directory}/letters")
        os.chmod(f"{desktop.directory}/letters", 0o777)
        play(app(desktop, "text-editor"), "fs.write_file", env={"TMPDIR": f"{desktop.directory}/letters"})
        other = desktop.until_received(about("text-editor"), "another program's")
        assert re.fullmatch(rf"Blocked from writing {desktop.directory}/letters/landlock-\w+/file", other["body"]), other

        os.makedirs(LOGS, exist_ok=True)
        desktop.screenshot(f"{LOGS}/notification.png")
        shown = {(n["summary"], n["body"]) for n in desktop.shown()}
        assert shown == {(n["summary"], n["body"]) for n in (got, other)}, shown


def hostile_names():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        kinds = subprocess.run([SANDBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
        hostile = [kind for kind in kinds if kind.startswith("hostile-")]
        play(SANDBOX, *hostile)
        domains = {d["domain"] for d in daemon.ctl_json("list", "--all")}
        eventually(lambda: len(desktop.received()) >= 3, "some of it")
        time_of_last = time.monotonic() + 12  # the second turns of what came first
        eventually(lambda: time.monotonic() > time_of_last, "some more of it", 20)
        got = desktop.received()
        assert len(domains) >= len(hostile) - 2 and len(got) <= 12, (len(domains), len(got))
        for n in got:
            text = n["summary"] + n["body"]
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", text), n
            assert len(text) < 2000, n


def markup_is_shown():
    """The name of a program that would be bold text, and an entity."""
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        program = app(desktop, "<b>bold&amp;")
        play(program, "fs.execute")
        desktop.until_received(lambda n: n["summary"] == "<b>bold&amp;: denied by its sandbox", "the program's name")
        directory = tempfile.mkdtemp(prefix="<i>&lt;")
        os.chmod(directory, 0o777)
        try:
            play(app(desktop, "second"), "fs.write_file", env={"TMPDIR": directory})
            got = desktop.until_received(about("second"), "the second one")
            assert "/&lt;i&gt;&amp;lt;" in got["body"], got
        finally:
            shutil.rmtree(directory)


def ignore_this():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        agent = start(desktop, daemon)
        viewer = app(desktop, "viewer")
        play(viewer, "demo")
        desktop.until_received(demo, "both denials")
        desktop.choose("Ignore this")
        eventually(lambda: desktop.config_text().count("[Ignore]") == 2, "two rules")
        for line in (f"Exe={viewer}", "Blocker=net.connect_tcp", "Object=127.0.0.1:443", "Blocker=scope.signal"):
            assert line in desktop.config_text().splitlines(), desktop.config_text()
        eventually(lambda: desktop.dunstctl("count", "displayed").strip() == "0", "the notification's end")

        def only_the_other(name):
            before = len(desktop.received())
            play(viewer, "demo")
            play(app(desktop, name), "demo")
            desktop.until_received(about(name), "another program's denial")
            assert all(n["summary"].startswith(name) for n in desktop.received()[before:]), desktop.received()

        only_the_other("other")
        # It is read again, and what a person changes in it counts at once.
        assert agent.stop() == 0
        agent = start(desktop, daemon)
        only_the_other("another")
        os.unlink(desktop.config)
        before = len(desktop.received())
        play(viewer, "demo")
        desktop.until_received(lambda n: n in desktop.received()[before:] and about("viewer")(n), "the viewer again")


def ignore_until_restart():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        agent = start(desktop, daemon)
        viewer = app(desktop, "viewer")
        play(viewer, "demo")
        desktop.until_received(demo, "both denials")
        desktop.choose("Ignore until restart")
        eventually(lambda: desktop.dunstctl("count", "displayed").strip() == "0", "the notification's end")
        play(viewer, "demo")
        play(app(desktop, "other"), "demo")
        desktop.until_received(about("other"), "another program's denial")
        assert desktop.received()[-1]["summary"].startswith("other"), desktop.received()
        assert desktop.config_text() == ""

        assert agent.stop() == 0
        start(desktop, daemon)
        before = len(desktop.received())
        play(viewer, "demo")
        eventually(lambda: any(about("viewer")(n) for n in desktop.received()[before:]), "the viewer again")


def details():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        play(app(desktop, "viewer"), "demo")
        desktop.until_received(demo, "both denials")
        desktop.choose("Details")
        got = desktop.until_received(lambda n: n["summary"] == "viewer: details of its sandbox", "the details")
        domain = domain_of(daemon, f"{desktop.directory}/viewer")
        assert f"landlockctl show {domain['domain']}" in got["body"], got
        assert f"The sandbox was set up by landlock-demo[{domain['creator']['pid']}]" in got["body"], got
        assert "Blocked from connecting by TCP to 127.0.0.1:443" in got["body"] and "Denials since" in got["body"], got
        # What was told once is not told again when the notification is gone.
        desktop.dunstctl("close-all")
        desktop.choose("Details")


def flood():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        agent = start(desktop, daemon)
        play(app(desktop, "flood"), "--count=100000", "flood")
        domain = domain_of(daemon, f"{desktop.directory}/flood")
        assert domain["denials"]["seen"] > 50000, domain
        last = f"({domain['denials']['seen']} times)"
        desktop.until_received(lambda n: last in n["body"], f"all of it: {last}", 60)
        assert len(desktop.received()) <= 4, desktop.received()
        assert agent.status("VmHWM") < 40 << 10, agent.status("VmHWM")


def many_domains():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        play(app(desktop, "crowd"), "--domains=300", "many")
        got = desktop.until_received(lambda n: re.fullmatch(r"Denied by \d+ sandboxes", n["summary"]), "the sum")
        time.sleep(6)
        assert len(desktop.received()) <= 6, desktop.received()
        assert "crowd: blocked from writing" in got["body"] and "landlockctl denials" in got["body"], got


def no_server_at_first():
    with landlockd() as daemon, Desktop() as desktop:
        agent = start(desktop, daemon)
        play(app(desktop, "early"), "demo")
        agent.says("There is no notification server")
        desktop.start_dunst()
        desktop.until_received(about("early"), "what was denied before the server came")


def server_restarts():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        play(app(desktop, "before"), "demo")
        desktop.until_received(demo, "both denials")
        desktop.stop_server()
        desktop.start_dunst()
        play(app(desktop, "after"), "demo")
        desktop.until_received(about("after"), "a notification by the second server")


def server_restarts_meanwhile():
    """A domain that is told of by both: the second server knows nothing of the first one's notification."""
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_server("body")
        start(desktop, daemon)
        flood_process = subprocess.Popen([app(desktop, "long"), "--count=100000000", "flood"],
                                         stdout=subprocess.DEVNULL, **USER)
        try:
            eventually(lambda: len(desktop.calls()) == 1, "the first one")
            desktop.stop_server()
            desktop.start_server("body")
            eventually(lambda: len(desktop.calls()) == 3, "two more")
        finally:
            flood_process.kill()
            flood_process.wait()
        assert [n["replaces"] for n in desktop.calls()] == [0, 0, 1], desktop.calls()


def server_has_enough():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_server("body", error="org.freedesktop.Notifications.Error.ExcessNotificationGeneration")
        agent = start(desktop, daemon)
        play(app(desktop, "first"), "demo")
        agent.says("It is left alone for 30 s")
        play(app(desktop, "second"), "demo")
        time.sleep(7)
        assert len(desktop.calls()) == 1, desktop.calls()
        # The next server is not to blame, and gets what the other did not want.
        desktop.stop_server()
        desktop.start_server("body")
        eventually(lambda: len(desktop.calls()) >= 3, "both of them")
        assert {n["summary"].split(":")[0] for n in desktop.calls()[1:]} == {"first", "second"}, desktop.calls()
        assert all(n["replaces"] == 0 for n in desktop.calls()[1:3]), desktop.calls()


def server_does_not_start():
    """One that the bus starts, and that fails to, and then dies of what it is to show: it is tried again."""
    with landlockd() as daemon, Desktop() as desktop:
        desktop.let_bus_start("false")
        agent = start(desktop, daemon)
        play(app(desktop, "viewer"), "demo")
        agent.says("It is left alone for 30 s")
        desktop.let_bus_start(*desktop.server_command("body", error="exit"))
        eventually(lambda: len(desktop.calls()) == 1, "the first that starts", 60)
        agent.says("it ended). It is left alone for 30 s")
        desktop.let_bus_start(*desktop.server_command("body"))
        eventually(lambda: len(desktop.calls()) == 2, "the second", 60)
        first, second = desktop.calls()
        assert about("viewer")(first) and demo(first) and second == first, desktop.calls()


def server_without_capabilities():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_server("body")
        start(desktop, daemon)
        play(app(desktop, "a&b"), "demo")
        play(app(desktop, "c"), "demo")
        eventually(lambda: len(desktop.calls()) >= 2, "both of them")
        assert all(n["actions"] == [] and "&amp;" not in n["summary"] + n["body"] for n in desktop.calls())
        assert desktop.calls()[0]["summary"].startswith("a&b:")


def server_closes():
    """What was closed is not replaced, and not told again."""
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_server("body", "body-markup", "actions")
        start(desktop, daemon)
        play(app(desktop, "viewer"), "--count=20000", "flood")
        eventually(lambda: len(desktop.calls()) == 2, "the first and its update")
        first, update = desktop.calls()
        assert first["replaces"] == 0 and update["replaces"] == 1, desktop.calls()
        assert first["actions"] == ["details", "Details", "ignore", "Ignore this", "ignore-session",
                                    "Ignore until restart"], first
        assert first["timeout"] == -1 and first["hints"] == {
            "urgency": 1, "category": "x-landlock.sandbox.denied", "desktop-entry": "landlock-notify"}, first
        # Neither IDs of others nor actions that there are not do anything.
        desktop.server.stdin.write("77 ignore\n1 nonsense\n77\n1 details\n")
        desktop.server.stdin.flush()
        eventually(lambda: len(desktop.calls()) == 3, "the details")
        assert "details of its sandbox" in desktop.calls()[2]["summary"] and desktop.config_text() == ""
        assert desktop.calls()[2]["actions"][::2] == ["ignore", "ignore-session"], desktop.calls()


def landlockd_comes_and_goes():
    with tempfile.TemporaryDirectory() as directory, Desktop() as desktop:
        desktop.start_dunst()
        daemon = Daemon("Trace=no\n", directory=directory)
        agent = desktop.start_agent(daemon.bus.address).says("landlockd is not running")
        try:
            for times in (1, 2):
                daemon.start()
                agent.says(WATCHING, times)
                play(app(desktop, f"run{times}"), "demo")
                desktop.until_received(about(f"run{times}"), f"a denial after start {times}")
                assert daemon.stop(signal.SIGKILL if times == 1 else signal.SIGTERM) is not None
                agent.says("landlockd has ended", times)
                daemon.log.close()
        finally:
            daemon.stop()
            # The bus that landlockd is on is gone: somebody has to start landlock-notify again.
            daemon.bus.stop()
        assert agent.ends() == 1, agent.messages()
        desktop.agents.remove(agent)


def refused_at_first():
    """As many as may subscribe do already; when one of them ends, its place is asked for again."""
    import dbus
    with landlockd() as daemon, Desktop() as desktop:
        others = [dbus.bus.BusConnection(daemon.bus.address) for _ in range(64)]
        for other in others:
            other.call_blocking("io.landlock.Landlockd1", "/io/landlock/Landlockd1", "io.landlock.Landlockd1.Manager",
                                "Subscribe", "a{sv}", [{}])
        agent = desktop.start_agent(daemon.bus.address, user={}).says("landlockd does not tell of denials")
        assert WATCHING not in agent.messages()
        others.pop().close()
        agent.says(WATCHING)
        assert agent.messages().count("does not tell of denials") == 1, agent.messages()
        for other in others:
            other.close()


def only_own_domains():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon, "--all")
        foreign = app(desktop, "foreign")
        play(foreign, "demo", user={})
        play(app(desktop, "mine"), "demo")
        desktop.until_received(about("mine"), "the user's own")
        assert not [n for n in desktop.received() if about("foreign")(n)], desktop.received()


def all_domains_for_root():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        # Whatever else root runs on this machine is told of too.
        os.makedirs(os.path.dirname(desktop.config))
        with open(desktop.config, "w") as f:
            f.write("[Notify]\nMaxPerMinute=60\n")
        agent = desktop.start_agent(daemon.bus.address, user={}).says(WATCHING)
        foreign = app(desktop, "foreign")
        play(foreign, "demo")
        play(app(desktop, "mine"), "demo", user={})
        desktop.until_received(about("mine"), "root's own")
        assert not [n for n in desktop.received() if about("foreign")(n)], desktop.received()
        assert agent.stop() == 0

        desktop.start_agent(daemon.bus.address, "--all", user={}).says("of all users")
        play(foreign, "demo")
        desktop.until_received(about("foreign"), "another user's")


def forged_signals():
    """Anybody may send signals on the system bus."""
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        start(desktop, daemon)
        names = subprocess.run(["dbus-send", f"--bus={daemon.bus.address}", "--print-reply", "--dest=org.freedesktop.DBus",
                                "/", "org.freedesktop.DBus.ListNames"], capture_output=True, text=True, check=True).stdout
        for name in re.findall(r'":[\d.]+"', names):
            for cookie in range(4):
                forge(daemon.bus.address, name.strip('"'), cookie)
        play(app(desktop, "real"), "demo")
        desktop.until_received(about("real"), "the real one")
        assert not [n for n in desktop.received() if "forged" in n["body"]], desktop.received()


def forge(address, destination, cookie):
    import dbus
    bus = dbus.bus.BusConnection(address)
    message = dbus.lowlevel.SignalMessage("/io/landlock/Landlockd1", "io.landlock.Landlockd1.Manager", "Denials")
    message.set_destination(destination)
    message.append(dbus.UInt64(cookie), [{"HexID": "1234", "Blockers": dbus.Array(["forged"], signature="s")}],
                   signature="taa{sv}")
    bus.send_message(message)
    bus.flush()
    bus.close()


def quiet_when_nothing_happens():
    with landlockd() as daemon, Desktop() as desktop:
        desktop.start_dunst()
        agent = start(desktop, daemon)
        play(app(desktop, "viewer"), "demo")
        desktop.until_received(demo, "both denials")
        time.sleep(1)
        before = agent.status("voluntary_ctxt_switches")
        time.sleep(8)
        assert agent.status("voluntary_ctxt_switches") == before


def one_for_each_session():
    with landlockd() as daemon, Desktop() as desktop:
        start(desktop, daemon)
        second = subprocess.run([NOTIFY, f"--bus={daemon.bus.address}"], env=desktop.environment, capture_output=True,
                                text=True, timeout=30, **USER)
        assert second.returncode == 0 and "runs in this session already" in second.stderr, second


def end_of_the_session():
    with landlockd() as daemon, Desktop() as desktop:
        agent = start(desktop, daemon)
        desktop.bus.process.terminate()
        assert agent.ends() == 0, agent.messages()


def command_line():
    def result(*arguments, **environment):
        return subprocess.run([NOTIFY, *arguments], capture_output=True, text=True, timeout=30,
                              env={"HOME": "/nonexistent", **environment})

    assert result("--help").returncode == 0 and "--all" in result("--help").stdout
    assert re.fullmatch(r"landlock-notify [\d.]+\n", result("--version").stdout)
    assert result("--nonsense").returncode == 2 and result("argument").returncode == 2
    none = result()
    assert none.returncode == 1 and "There is no session bus" in none.stderr, none
    with Desktop() as desktop:
        gone = result("--bus=unix:path=/nonexistent/bus", DBUS_SESSION_BUS_ADDRESS=desktop.bus.address)
        assert gone.returncode == 1 and "Cannot connect" in gone.stderr, gone
        homeless = result(HOME="")
        assert homeless.returncode == 1 and "home directory" in homeless.stderr, homeless


tests = [
    ("command line", command_line),
    ("a notification in plain words, and its picture", text_and_picture),
    ("hostile names", hostile_names),
    ("names that look like markup", markup_is_shown),
    ("Ignore this", ignore_this),
    ("Ignore until restart", ignore_until_restart),
    ("Details", details),
    ("a flood of 100,000 denials", flood),
    ("300 domains at once", many_domains),
    ("no notification server at first", no_server_at_first),
    ("the notification server restarts", server_restarts),
    ("the notification server restarts while a domain is told of", server_restarts_meanwhile),
    ("the notification server has had enough", server_has_enough),
    ("the notification server does not start", server_does_not_start),
    ("a notification server without capabilities", server_without_capabilities),
    ("actions and what is closed", server_closes),
    ("landlockd comes and goes", landlockd_comes_and_goes),
    ("landlockd refuses at first", refused_at_first),
    ("own domains only", only_own_domains),
    ("root sees all domains if it asks to", all_domains_for_root),
    ("forged signals", forged_signals),
    ("no wake-ups when nothing happens", quiet_when_nothing_happens),
    ("one for each session", one_for_each_session),
    ("the end of the session", end_of_the_session),
]

if __name__ == "__main__":
    sys.exit(run(tests))
