# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop for landlock-notify: a screen (Xvfb), a session bus, and who shows notifications: dunst, or a server that
behaves as a few do and dunst does not."""

import importlib.util
import json
import os
import pwd
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import BUILDDIR, PATIENCE, SRCDIR, Bus, Skip, eventually

NOTIFY = os.environ.get("LANDLOCK_NOTIFY", f"{BUILDDIR}/landlock-notify")
SERVER_NAME = "org.freedesktop.Notifications"

NEEDED = {"Xvfb": "xvfb", "dunst": "dunst", "dunstctl": "dunst", "dbus-daemon": "dbus", "dbus-send": "dbus",
          "import": "imagemagick"}

# Who sits there: a user whom every system has and nothing runs as, so that nobody else's denials are seen.
PASSWORD_ENTRY = pwd.getpwnam("games")
USER = {"user": PASSWORD_ENTRY.pw_uid, "group": PASSWORD_ENTRY.pw_gid, "extra_groups": []}

# Runs for each notification that dunst gets, replaced ones too, with what dunst understood.
SCRIPT = """#!/usr/bin/python3
import json, os
line = json.dumps({k[6:].lower(): v for k, v in os.environ.items() if k.startswith("DUNST_")})
with open(os.path.dirname(os.path.abspath(__file__)) + "/received", "a") as f:
    f.write(line + "\\n")
"""

# What dunst asks which action is meant: the one that the test has written down.
MENU = """#!/bin/sh
grep -F -e "$(cat "$(dirname "$0")/choice")" | head -n 1
"""

DUNSTRC = """[global]
    monitor = 0
    width = 420
    height = 300
    origin = top-right
    offset = 10x10
    font = DejaVu Sans 10
    markup = full
    frame_width = 1
    frame_color = "#5a7fa8"
    separator_height = 1
    padding = 12
    horizontal_padding = 14
    corner_radius = 0
    show_age_threshold = -1
    show_indicators = no
    dmenu = {directory}/menu
    always_run_script = true
    enable_posix_regex = true
[urgency_low]
    background = "#22262e"
    foreground = "#e6e6e6"
    timeout = {timeout}
[urgency_normal]
    background = "#22262e"
    foreground = "#e6e6e6"
    timeout = {timeout}
[log]
    summary = ".*"
    script = {directory}/script
"""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"the package {NEEDED[program]} is missing")


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def demo(n):
    """What the sandbox program's demo is denied, if nobody may write /etc/passwd anyway."""
    return "sending a signal to " in n["body"] and "connecting by TCP to 127.0.0.1:443" in n["body"]


def about(name):
    return lambda n: n["summary"].startswith(f"{name}:")


class Agent:
    """A running landlock-notify."""

    def __init__(self, desktop, bus, options, user):
        self.log_path = f"{desktop.directory}/notify.log"
        self.log = open(self.log_path, "w")
        self.process = subprocess.Popen([NOTIFY, f"--bus={bus}", *options], env=desktop.environment, stderr=self.log,
                                        **user)

    def messages(self):
        with open(self.log_path) as f:
            return f.read()

    def says(self, text, times=1, or_else=None):
        def said():
            return self.messages().count(text) >= times or (or_else and or_else in self.messages())

        eventually(lambda: said() or self.process.poll() is not None, f"{text!r}")
        assert said(), f"ended with {self.process.returncode}: {self.messages()}"
        return self

    def ends(self):
        return self.process.wait(PATIENCE)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.ends()
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.ends()

    def status(self, key):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(next(line for line in f if line.startswith(key + ":")).split()[1])


class Dunst:
    """What it shows, and what a person does there. `directory` has its configuration, and what it writes down."""

    def __init__(self, directory, environment, user):
        self.directory = directory
        self.environment = environment
        self.user = user

    def configure(self, timeout=0):
        """timeout: seconds until a notification expires; 0: never."""
        write(f"{self.directory}/script", SCRIPT, 0o755)
        write(f"{self.directory}/menu", MENU, 0o755)
        write(f"{self.directory}/dunstrc", DUNSTRC.format(directory=self.directory, timeout=timeout))

    def dunstctl(self, *arguments):
        return subprocess.run(["dunstctl", *arguments], env=self.environment, capture_output=True, text=True,
                              check=True, timeout=PATIENCE, **self.user).stdout

    def received(self):
        """All that dunst got, in this order."""
        if not os.path.exists(f"{self.directory}/received"):
            return []
        with open(f"{self.directory}/received") as f:
            return [json.loads(line) for line in f.read().splitlines()]

    def until_received(self, condition, what, timeout=PATIENCE):
        found = []

        def check():
            found[:] = [n for n in self.received() if condition(n)]
            return found

        try:
            eventually(check, what, timeout)
        except AssertionError:
            raise AssertionError(f"{what} did not come; what came: {self.received()}") from None
        return found[0]

    def shown(self):
        """The displayed notifications, which are closed by this, as dunst keeps them in its history."""
        before = len(self.history())
        displayed = int(self.dunstctl("count", "displayed"))
        self.dunstctl("close-all")
        eventually(lambda: len(self.history()) == before + displayed, "the history")
        return self.history()[:displayed]

    def history(self):
        entries = json.loads(self.dunstctl("history"))["data"][0]
        return [{k: v["data"] for k, v in entry.items()} for entry in entries]

    def choose(self, action):
        """Invokes an action as a person does: in dunst's menu."""
        write(f"{self.directory}/choice", f"#{action} (")
        self.dunstctl("context")


class Desktop(Dunst):
    """A session. What it starts ends with it."""

    def __init__(self):
        need("dbus-daemon", "dbus-send")
        directory = tempfile.mkdtemp(prefix="landlock-notify-test-")
        os.chown(directory, USER["user"], USER["group"])
        self.bus = Bus(directory, **USER)
        environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.bus.address, "HOME": directory,
                       "XDG_CONFIG_HOME": f"{directory}/config", "XDG_RUNTIME_DIR": directory, "LC_ALL": "C.UTF-8"}
        environment.pop("XDG_DATA_DIRS", None)
        super().__init__(directory, environment, USER)
        self.config = f"{self.directory}/config/landlockd/notify.conf"
        self.screen = self.server = None
        self.agents = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        codes = []
        for agent in self.agents:
            codes.append(agent.stop())
            agent.log.close()
            if value:
                sys.stderr.write("".join(f"# landlock-notify: {line}\n" for line in agent.messages().splitlines()))
        messages = [agent.messages() for agent in self.agents]
        if self.server:
            self.server.terminate()
            self.server.wait()
        if self.screen:
            self.screen.terminate()
            self.screen.wait()
        self.bus.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        if not value:
            assert not any(codes), f"landlock-notify ended with {codes}: {messages}"

    def start_screen(self):
        need("Xvfb")
        if not os.path.exists("/tmp/.X11-unix"):
            os.mkdir("/tmp/.X11-unix")
            os.chmod("/tmp/.X11-unix", 0o1777)
        reader, writer = os.pipe()
        self.screen = subprocess.Popen(["Xvfb", "-displayfd", str(writer), "-screen", "0", "1024x768x24", "-nolisten",
                                        "tcp"], pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       **USER)
        os.close(writer)
        with os.fdopen(reader) as f:
            number = f.readline().strip() if select.select([f], [], [], PATIENCE)[0] else ""
        assert number, "Xvfb does not start"
        self.environment["DISPLAY"] = f":{number}"

    def start_dunst(self, timeout=0):
        need("dunst", "dunstctl")
        if not self.screen:
            self.start_screen()
        self.configure(timeout)
        self.server = subprocess.Popen(["dunst", "-config", f"{self.directory}/dunstrc"], env=self.environment,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **USER)
        eventually(lambda: self.has_owner(SERVER_NAME), "dunst's start")

    def server_command(self, *capabilities, error=""):
        if not importlib.util.find_spec("gi"):
            raise Skip("the package python3-gi is missing")
        return [sys.executable, f"{SRCDIR}/tests/integration/notify-server.py", f"{self.directory}/calls", error,
                *capabilities]

    def start_server(self, *capabilities, error=""):
        """One that is no dunst; what it gets is in calls()."""
        self.server = subprocess.Popen(self.server_command(*capabilities, error=error), env=self.environment,
                                       stdin=subprocess.PIPE, text=True, **USER)
        eventually(lambda: self.has_owner(SERVER_NAME), "the server's start")

    def let_bus_start(self, *command):
        """Whoever calls the notification server makes the bus run this from now on, if there is none."""
        os.makedirs(f"{self.directory}/services", exist_ok=True)
        write(f"{self.directory}/new-start", "#!/bin/sh\n" + shlex.join(
            ["exec", "env", f"DBUS_SESSION_BUS_ADDRESS={self.bus.address}", *command]) + "\n", 0o755)
        os.rename(f"{self.directory}/new-start", f"{self.directory}/start")
        write(f"{self.directory}/services/{SERVER_NAME}.service",
              f"[D-BUS Service]\nName={SERVER_NAME}\nExec={self.directory}/start\n")
        self.call_bus("ReloadConfig")

    def calls(self):
        if not os.path.exists(f"{self.directory}/calls"):
            return []
        with open(f"{self.directory}/calls") as f:
            return [json.loads(line) for line in f.read().splitlines()]

    def stop_server(self):
        if self.server:
            self.server.terminate()
            self.server.wait()
            eventually(lambda: not self.has_owner(SERVER_NAME), "the server's end")
        self.server = None

    def call_bus(self, method, *arguments):
        return subprocess.run(["dbus-send", f"--bus={self.bus.address}", "--print-reply=literal",
                               "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", f"org.freedesktop.DBus.{method}",
                               *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE, **USER).stdout

    def has_owner(self, name):
        return "true" in self.call_bus("NameHasOwner", f"string:{name}")

    def screenshot(self, path):
        """Of what is shown and nothing around it."""
        need("import")
        shot = f"{self.directory}/shot.png"

        def is_there():
            subprocess.run(["import", "-window", "root", shot], env=self.environment, check=True, timeout=PATIENCE,
                           **USER)
            colours = subprocess.run(["identify", "-format", "%k", shot], check=True, capture_output=True, text=True)
            return int(colours.stdout) > 8

        eventually(is_there, "something on the screen")
        subprocess.run(["convert", shot, "-trim", "+repage", "-strip", path], check=True)

    def start_agent(self, bus, *options, user=None):
        agent = Agent(self, bus, options, USER if user is None else user)
        self.agents.append(agent)
        return agent

    def config_text(self):
        if not os.path.exists(self.config):
            return ""
        with open(self.config) as f:
            return f.read()
