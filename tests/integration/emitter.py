# SPDX-License-Identifier: LGPL-2.1-or-later
"""Landlock's trace events where the kernel has none: uprobe events of the same names and fields, on a program that does
as it is told. Forks, execs and exits are the kernel's own."""

import errno
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from harness import BUILDDIR, SRCDIR, Skip, eventually

TRACEFS = "/sys/kernel/tracing"
TRACE_EMIT = os.environ.get("TRACE_EMIT", f"{BUILDDIR}/trace-emit")
FORMATS = f"{SRCDIR}/tests/data/trace-formats/7.3.4"
# Of include/uapi/linux/landlock.h, and types of security/landlock/log.h.
FS_WRITE_FILE = 2
BLOCKED_FS_ACCESS, BLOCKED_NET_ACCESS = 3, 4


def kernel_has_events():
    """Not those of another test that runs now."""
    try:
        with open(f"{TRACEFS}/events/landlock/landlock_create_domain/format") as f:
            return "__probe_ip" not in f.read()
    except FileNotFoundError:
        return False


KERNEL_HAS_EVENTS = kernel_has_events()


class Event:
    """A trace event as a `format` file of kernel 7.3 has it."""

    def __init__(self, path, function):
        self.function = function
        with open(path) as f:
            text = f.read()
        self.name = re.search(r"^name: (\w+)$", text, re.M).group(1)
        fields = re.findall(r"field:(.*?)(\w+)(?:\[\d*\])?;\s+offset:\d+;\s+size:(\d+);\s+signed:(\d);", text)
        self.fields = [(name, "__data_loc" in kind, int(size), signed == "1")
                       for kind, name, size, signed in fields if not name.startswith("common_")]
        self.numbers = [name for name, is_text, _, _ in self.fields if not is_text]

    def definition(self, program, layout, without=()):
        """The line for uprobe_events that makes it."""
        line = f"p:landlock/{self.name} {program}:0x{layout['functions'][self.function]:x}"
        for name, is_text, size, signed in self.fields:
            if name in without:
                continue
            if is_text:
                line += f" {name}=@+0x{layout['text']:x}:string"
            else:
                offset = layout["numbers"] + 8 * self.numbers.index(name)
                line += f" {name}=@+0x{offset:x}:{'s' if signed else 'u'}{8 * size}"
        return line

    def arguments(self, values):
        text = "".join(values[name] for name, is_text, _, _ in self.fields if is_text and name in values)
        return f"{' '.join(str(values.get(name, 0)) for name in self.numbers)} \"{text}"


def define(line):
    # Each write is one command; its error comes with it.
    fd = os.open(f"{TRACEFS}/uprobe_events", os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, line.encode() + b"\n")
    finally:
        os.close(fd)


def undefine(event):
    """As soon as nobody has it enabled: another landlockd that happens to run does, for as long as it runs."""
    def gone():
        try:
            define(f"-:{event}")
        except OSError as e:
            if e.errno != errno.EBUSY:
                raise
            return False
        return True

    eventually(gone, f"the end of {event}")


class Process:
    """A process whose functions are the events."""

    def __init__(self, program, events, wrapper=()):
        self.events = events
        self.process = subprocess.Popen([*wrapper, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        self.layout = json.loads(self.process.stdout.readline())

    def end(self):
        """With all that it has spawned."""
        self.process.stdin.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def emit(self, name, count=1, **values):
        event = self.events[name]
        assert self.command(f"emit {event.function} {count} {event.arguments(values)}") == "done"

    def make_domain(self, domain, parent=0, ruleset=0x100000001, version=0):
        self.emit("create_domain", domain_id=domain, parent_id=parent, ruleset_id=ruleset, ruleset_version=version)
        self.emit("enforce_domain", domain_id=domain, complete=1, process_wide=1, no_new_privs=1)

    def deny_write(self, domain, path="/etc/passwd", ino=7, **values):
        self.emit("deny_access_fs", domain_id=domain, same_exec=1, logged=0, blockers_type=BLOCKED_FS_ACCESS,
                  blockers_access=FS_WRITE_FILE, dev=(254 << 20) + 3, ino=ino, pathname=path, **values)

    @property
    def pid(self):
        return self.process.pid


class Emitter:
    """The events, and a process that makes them. `with Emitter() as e: …`"""

    def __init__(self, without=None, together=()):
        """`together`: names of events that one call of one function makes, all at once."""
        self.without = without or {}
        self.together = together

    def __enter__(self):
        if KERNEL_HAS_EVENTS:
            raise Skip("the kernel has the events itself")
        if not os.path.exists(f"{TRACEFS}/uprobe_events"):
            raise Skip("the kernel has no uprobe events (CONFIG_UPROBE_EVENTS)")
        # The group is one for the whole machine.
        self.lock = open("/run/landlockd-test-trace.lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        # Where every user may execute it.
        self.directory = tempfile.mkdtemp(prefix="landlockd-test-emit-")
        os.chmod(self.directory, 0o755)
        self.program = shutil.copy(TRACE_EMIT, self.directory)
        paths = [p for p in sorted(glob.glob(f"{FORMATS}/landlock_*.format")) if "check_rule" not in p]
        self.events = {e.name.removeprefix("landlock_"): e for e in (Event(p, i) for i, p in enumerate(paths))}
        fields = [name for event in self.together for name in self.events[event].numbers]
        for name in self.together:
            self.events[name].function = self.events[self.together[0]].function
            self.events[name].numbers = list(dict.fromkeys(fields))
        self.processes = [Process(self.program, self.events)]
        for name, event in self.events.items():
            if self.without.get(name) != "all":
                define(event.definition(self.program, self.processes[0].layout, self.without.get(name, ())))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.end()
        for name in self.events:
            if self.without.get(name) != "all":
                undefine(f"landlock/landlock_{name}")
        shutil.rmtree(self.directory)
        self.lock.close()

    def as_user(self, uid):
        """Another process that makes them, of that user."""
        wrapper = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        self.processes.append(Process(self.program, self.events, wrapper))
        return self.processes[-1]

    def __getattr__(self, name):
        """It is its first process."""
        return getattr(self.processes[0], name)
