# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the integration tests share: a real landlockd on a private bus, a JSON client, the sandbox program, TAP.

Everything here meets the running kernel. Needs root; BUILDDIR and SRCDIR name the trees (set by make)."""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import jsonschema

BUILDDIR = os.environ.get("BUILDDIR", ".")
SRCDIR = os.environ.get("SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LANDLOCKD = os.environ.get("LANDLOCKD", f"{BUILDDIR}/landlockd")
LANDLOCKCTL = os.environ.get("LANDLOCKCTL", f"{BUILDDIR}/landlockctl")
SANDBOX = os.environ.get("SANDBOX", f"{BUILDDIR}/sandbox")
AUDIT_STATE = os.environ.get("AUDIT_STATE", f"{BUILDDIR}/audit-state")
WITHOUT = os.environ.get("WITHOUT", f"{BUILDDIR}/without")

# For what must happen; what takes longer has not happened.
PATIENCE = int(os.environ.get("PATIENCE", "30"))

# As in landlockd.service.
NICE = -4

with open(f"{SRCDIR}/doc/landlockd-event.schema.json") as schema_file:
    SCHEMA = json.load(schema_file)
VALIDATOR = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)


class Skip(Exception):
    """Raised with the kernel feature that is missing."""


def unescape(text):
    """Undoes the escape of landlockd(8): the raw bytes."""
    out = bytearray()
    for part in re.split(r"(\\x[0-9a-f]{2})", text):
        if part.startswith("\\"):
            assert re.fullmatch(r"\\x[0-9a-f]{2}", part), f"not an escape: {part!r}"
            out.append(int(part[2:], 16))
        else:
            out += part.encode()
    return bytes(out)


class Bus:
    """A private message bus."""

    def __init__(self, directory, **options):
        config = f"{directory}/bus.conf"
        with open(config, "w") as f:
            f.write(f"""<busconfig><type>custom</type><listen>unix:path={directory}/bus</listen>
<servicedir>{directory}/services</servicedir><auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>
<allow receive_sender="*"/></policy></busconfig>""")
        self.process = subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1"],
                                        stdout=subprocess.PIPE, **options)
        self.address = self.process.stdout.readline().decode().strip()
        os.chmod(f"{directory}/bus", 0o666)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Daemon:
    """A running landlockd. `with Daemon() as d: …`"""

    def __init__(self, config="", bus=True, wrapper=(), directory=None):
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="landlockd-test-")
        os.chmod(self.directory, 0o755)
        self.runtime = f"{self.directory}/run"
        self.config = f"{self.directory}/landlockd.conf"
        self.wrapper = list(wrapper)
        with open(self.config, "w") as f:
            f.write(f"[Landlockd]\n{config}\n")
            # Not that of other tests that run at the same time.
            if "TraceInstance=" not in config:
                f.write(f"TraceInstance=test-{os.getpid()}\n")
        self.bus = Bus(self.directory) if bus else None
        self.process = None

    def command(self):
        return self.wrapper + [LANDLOCKD, f"--config={self.config}", f"--runtime-dir={self.runtime}",
                               f"--bus={self.bus.address if self.bus else 'none'}"]

    def start(self):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = f"{self.directory}/notify"
        if os.path.exists(path):
            os.unlink(path)
        notify.bind(path)
        notify.settimeout(0.1)
        self.log = open(f"{self.directory}/log", "a+")
        self.process = subprocess.Popen(self.command(), env={**os.environ, "NOTIFY_SOCKET": path}, stderr=self.log)
        with contextlib.suppress(PermissionError):  # in a container, root may not
            os.setpriority(os.PRIO_PROCESS, self.process.pid, NICE)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"landlockd ended with {self.process.returncode}: {self.messages()}")
            try:
                if b"READY=1" in notify.recv(4096):
                    break
            except socket.timeout:
                pass
        else:
            raise AssertionError("landlockd does not get ready")
        notify.close()
        return self

    def messages(self):
        self.log.flush()
        with open(f"{self.directory}/log") as f:
            return f.read()

    def stop(self, signal_number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal_number)
            self.process.wait(PATIENCE)
        return self.process.returncode if self.process else None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        code = self.stop()
        if value:
            sys.stderr.write("".join(f"# landlockd: {line}\n" for line in self.messages().splitlines()))
        self.log.close()
        if self.bus:
            self.bus.stop()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        if not value:
            assert code == 0, f"landlockd ended with {code}"

    def client(self, **kwargs):
        return Client(f"{self.runtime}/telemetry.sock", **kwargs)

    def ctl(self, *arguments, check=True, **kwargs):
        result = subprocess.run([LANDLOCKCTL, f"--bus={self.bus.address}", *arguments], capture_output=True, text=True,
                                timeout=PATIENCE, **kwargs)
        if check and result.returncode != 0:
            raise AssertionError(f"landlockctl {arguments} ended with {result.returncode}: {result.stderr}")
        return result

    def ctl_json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json=short").stdout)

    def proc_status(self, key):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(rf"^{key}:\s+(\d+)", f.read(), re.M).group(1))


class Client:
    """A reader of the JSON socket. Every line it takes is held to the schema."""

    def __init__(self, path, validate=True):
        self.validate = validate
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.buffer = b""
        self.hello = self.next()
        assert self.hello["type"] == "hello", self.hello

    def next(self, timeout=PATIENCE):
        """The next event; None when none comes in time or the daemon closes."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        event = json.loads(line)
        if self.validate:
            VALIDATOR.validate(event)
        return event

    def send(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")

    def ask(self, **request):
        """All lines of the answer, the reply last."""
        self.send(id="test", **request)
        lines = []
        while True:
            event = self.next()
            assert event, "no answer"
            if event.get("id") == "test":
                lines.append(event)
                if event["type"] == "reply":
                    return lines

    def until(self, condition, what="the event", timeout=PATIENCE):
        """Events up to the first that meets the condition."""
        events = []
        deadline = time.monotonic() + timeout
        while True:
            event = self.next(max(0.01, deadline - time.monotonic()))
            assert event, f"{what} did not come; the last of {len(events)} that came: {events[-3:]}"
            events.append(event)
            if condition(event):
                return events

    def until_freed(self, creators, n_domains):
        """Events up to the end of that many domains made by these processes."""
        ended = set()

        def done(event):
            if event["type"] == "domain" and event["state"] == "deallocated" and \
                    event.get("creator", {}).get("pid") in creators:
                ended.add(event["domain"])
            return len(ended) >= n_domains

        return self.until(done, f"the end of {n_domains} domain(s) made by {creators}") if n_domains else []

    def close(self):
        self.socket.close()


def sandbox(*arguments):
    """Runs the sandbox program: its ground truth, one object for each kind."""
    result = subprocess.run([SANDBOX, "--json", *arguments], capture_output=True, text=True, timeout=300)
    if result.returncode == 77:
        raise Skip(result.stderr.strip())
    assert result.returncode == 0, f"sandbox {arguments} ended with {result.returncode}: {result.stderr}"
    return [json.loads(line) for line in result.stdout.splitlines()]


def audit_state():
    return subprocess.run([AUDIT_STATE], capture_output=True, text=True, check=True).stdout.strip()


def set_audit_state(state):
    subprocess.run([AUDIT_STATE, state], check=True)


def eventually(condition, what, timeout=PATIENCE):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def run(tests):
    """Runs (name, function) pairs, prints TAP, ends the program."""
    only = sys.argv[1:]
    unknown = [o for o in only if not any(o in name for name, _ in tests)]
    if unknown:
        sys.exit(f"no test has {' or '.join(unknown)} in its name")
    tests = [t for t in tests if not only or any(o in t[0] for o in only)]
    if os.geteuid() != 0:
        print("Bail out! These tests need root.")
        sys.exit(1)
    before = audit_state()
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as e:
            print(f"ok {number} - {name} # SKIP {e}", flush=True)
        except Exception:
            failed += 1
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
            print(f"not ok {number} - {name}", flush=True)
            set_audit_state(before)
    sys.exit(1 if failed else 0)
