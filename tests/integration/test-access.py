#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is told what, by a real landlockd on a real bus: users by their real uids, callers in domains, foreign clients."""

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import time

from emitter import Emitter
from harness import LANDLOCKCTL, SANDBOX, SRCDIR, Daemon, Skip, eventually, run

# A message bus wants users that there are.
ALICE, BOB = pwd.getpwnam("www-data").pw_uid, pwd.getpwnam("nobody").pw_uid
A, A_NESTED, B, R = 0x1aa01, 0x1aa02, 0x2bb01, 0x3cc01
NAME, PATH = "io.landlock.Landlockd1", "/io/landlock/Landlockd1"
PRIVILEGED = "UnprivilegedAccess=no\n"
sys.path.append(f"{SRCDIR}/tests/integration")


def as_user(uid, *command, check=True, **kwargs):
    wrapper = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
    result = subprocess.run([*wrapper, *command], capture_output=True, text=True, timeout=120, **kwargs)
    if check and result.returncode != 0:
        raise AssertionError(f"{command} ended with {result.returncode}: {result.stdout}{result.stderr}")
    return result


def ctl(daemon, uid, *arguments, **kwargs):
    """In a directory where every user may read it: what a build leaves behind is not always."""
    path = f"{daemon.directory}/landlockctl"
    if not os.path.exists(path):
        subprocess.run(["install", "-m755", LANDLOCKCTL, path], check=True)
    return as_user(uid, path, f"--bus={daemon.bus.address}", *arguments, **kwargs)


def listed(daemon, uid, *arguments):
    return {int(d["domain"], 16) for d in json.loads(ctl(daemon, uid, "list", "--json=short", *arguments).stdout)}


def denied(daemon):
    return {d["object"].get("path") for d in daemon.ctl_json("denials", "--limit=1000")["denials"]}


def subjects(daemon, uid):
    """Who was denied something, as that user sees it."""
    denials = json.loads(ctl(daemon, uid, "denials", "--limit=1000", "--json=short").stdout)["denials"]
    return {d["subject"].get("uid") for d in denials}


class Users:
    """Two users and root, who each have a domain with a process in it and a denial; Alice has a nested one too."""

    def __init__(self, emitter, daemon):
        self.alice, self.bob, self.root = emitter.as_user(ALICE), emitter.as_user(BOB), emitter.as_user(0)
        self.alice.make_domain(A)
        self.in_a = int(self.alice.command("spawn sleep 1000"))
        self.alice.make_domain(A_NESTED, parent=A)
        self.bob.make_domain(B)
        secret = shutil.copy(shutil.which("sleep"), f"{daemon.directory}/bobs-secret")
        self.in_b = int(self.bob.command(f"spawn exec {secret} 1001"))
        self.root.make_domain(R)
        for process, domain, path in ((self.alice, A_NESTED, "/alice"), (self.bob, B, "/bob"), (self.root, R, "/root")):
            process.deny_write(domain, path=path)
        # Others on this machine may have sandboxes too.
        eventually(lambda: listed(daemon, 0) >= {A, A_NESTED, B, R}, "the domains")
        eventually(lambda: {self.in_a, self.in_b} <= {p["pid"] for p in daemon.ctl_json("ps")}, "the processes")
        eventually(lambda: {"/alice", "/bob", "/root"} <= denied(daemon), "the denials")


# Does as it is told: goes into a domain, or into one nested in that, in which it can do all but make a block device.
CONFINER = """
import ctypes, subprocess, sys
libc, children = ctypes.CDLL(None, use_errno=True), {}
for line in sys.stdin:
    command, _, argument = line.strip().partition(" ")
    if command == "confine":
        make_block = ctypes.c_uint64(1 << 11)
        ruleset = libc.syscall(444, ctypes.byref(make_block), ctypes.c_size_t(8), 0)
        done = ruleset >= 0 and libc.prctl(38, 1, 0, 0, 0) == 0 and libc.syscall(446, ruleset, 0) == 0
        print("done" if done else "failed", flush=True)
    elif command == "spawn":
        child = subprocess.Popen(["/bin/sh", "-c", argument], stdout=subprocess.DEVNULL)
        children[child.pid] = child
        print(child.pid, flush=True)
for child in children.values():
    child.kill()
"""


class Confiner:
    """A process in domains of its own making."""

    def __init__(self, daemon, uid):
        self.daemon = daemon
        wrapper = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        self.process = subprocess.Popen([*wrapper, "/usr/bin/python3", "-c", CONFINER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.pid = self.process.pid

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def confine(self):
        """Returns the new domain's ID."""
        assert self.tell("confine") == "done"
        (found,) = json.loads(ctl(self.daemon, 0, "lookup", "--json=short", str(self.pid)).stdout)
        return int(found["domain"], 16)

    def spawn(self, command):
        return int(self.tell(f"spawn {command}"))

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Confined:
    """Two users in domains, each with a child in it; Alice went on into a nested one."""

    def __init__(self, daemon):
        need_bpf(daemon)
        self.alice, self.bob = Confiner(daemon, ALICE), Confiner(daemon, BOB)
        self.domain_a = self.alice.confine()
        self.in_a = self.alice.spawn("exec sleep 1000")
        self.nested_a = self.alice.confine()
        self.domain_b = self.bob.confine()
        self.in_b = self.bob.spawn("exec sleep 1001")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.alice.end()
        self.bob.end()


def need_bpf(daemon):
    (bpf,) = [s for s in json.loads(ctl(daemon, 0, "status", "--json=short").stdout)["sources"] if s["name"] == "bpf"]
    if bpf["state"] == "unavailable":
        raise Skip(f"only BPF programs tell where a caller is: {bpf['reason']}")


def each_sees_own():
    with Emitter() as emitter, Daemon() as daemon:
        Users(emitter, daemon)
        assert listed(daemon, ALICE) == {A, A_NESTED}
        assert listed(daemon, BOB) == {B}
        assert listed(daemon, pwd.getpwnam("daemon").pw_uid) == set()
        # The record of a uprobe tells nobody's thread: whose denial it is is not known, and so it is not hers.
        assert json.loads(ctl(daemon, ALICE, "denials", "--json=short").stdout)["denials"] == []
        assert ctl(daemon, BOB, "show", f"{A:x}", check=False).returncode == 3
        tree = ctl(daemon, ALICE, "tree", "--no-pager").stdout
        assert f"{A:x}" in tree and f"{A_NESTED:x}" in tree and f"{B:x}" not in tree, tree
        status = json.loads(ctl(daemon, BOB, "status", "--json=short").stdout)
        assert status["tables"] == {"domains_live": 1, "domains_freed": 0}, status


def real_denials():
    """The kernel's own, by audit: the domain's owner and who was denied are told by it."""
    with Emitter(), Daemon() as daemon:
        program = shutil.copy(SANDBOX, f"{daemon.directory}/sandbox")
        ctl(daemon, 0, "status")
        for uid in (ALICE, BOB):
            as_user(uid, program, "--json", "fs.write_file")
        eventually(lambda: {ALICE, BOB} <= subjects(daemon, 0), "the denials")
        assert subjects(daemon, ALICE) == {ALICE}
        assert subjects(daemon, BOB) == {BOB}
        owners = {d["creator"]["uid"] for d in json.loads(ctl(daemon, BOB, "list", "--all", "--json=short").stdout)}
        assert owners == {BOB}, owners


def labels():
    with Emitter() as emitter, Daemon() as daemon:
        Users(emitter, daemon)
        with open(f"/proc/{emitter.processes[1].pid}/cgroup") as f:
            cgroup = f.read().strip().rsplit("/", 1)[-1]
        domains = json.loads(ctl(daemon, ALICE, "list", "--json=short").stdout)
        for domain in domains:
            assert re.fullmatch(f"trace-emit(@.*{re.escape(cgroup[-12:])}.*)?", domain["label"]), (domain["label"], cgroup)


def sweep(daemon, uid, numbers):
    command = [f"{SRCDIR}/tests/integration/sweep.py", daemon.bus.address, *map(str, numbers)]
    # As a file that every user may read.
    path = f"{daemon.directory}/sweep.py"
    subprocess.run(["install", "-m755", command[0], path], check=True)
    return json.loads(as_user(uid, "/usr/bin/python3", path, *command[1:]).stdout)


def mentions(value, texts):
    """Whether one of these is a word of it."""
    found = re.findall(r"[0-9a-zA-Z/-]+", json.dumps(value))
    return [t for t in texts if t in found]


def sweeps_find_nothing_of_others():
    """Whatever a user asks about, nothing of what is others' is in the answer, and of what does not exist nothing else
    is told than of what is theirs."""
    with Emitter() as emitter, Daemon() as daemon:
        users = Users(emitter, daemon)
        free = 0x4dd01
        numbers = [A, A_NESTED, B, R, free, ALICE, BOB, 0, users.in_a, users.in_b, users.alice.pid, users.bob.pid, 1]
        own = {ALICE: {A, A_NESTED, users.in_a, users.alice.pid}, BOB: {B, users.in_b, users.bob.pid}}
        secrets = {ALICE: [f"{B:x}", str(B), f"{R:x}", str(R), str(users.in_b), str(users.bob.pid), "bobs-secret",
                           "/bob", "/root"],
                   BOB: [f"{A:x}", str(A), f"{A_NESTED:x}", str(A_NESTED), f"{R:x}", str(R), str(users.in_a),
                         str(users.alice.pid), "/alice", "/root"]}
        everything = sweep(daemon, 0, numbers)
        assert mentions([answer for _, answer in everything], secrets[ALICE] + secrets[BOB])
        for uid in (ALICE, BOB):
            answers = sweep(daemon, uid, numbers)
            assert len(answers) > 200, len(answers)
            assert mentions([answer for _, answer in answers], [f"{n:x}" for n in own[uid]] + [str(n) for n in own[uid]])
            by_question = {}
            for question, answer in answers:
                asked = json.dumps(question)
                if isinstance(answer, dict) and "error" in answer:
                    # An error repeats what was asked, and nothing else.
                    asked_for = {f(n) for n in numbers for f in (str, "{:x}".format) if mentions(question, [str(n), f"{n:x}"])}
                    leaks = [s for s in mentions(answer, secrets[uid]) if s not in asked_for]
                else:
                    leaks = mentions(answer, secrets[uid])
                assert not leaks, (uid, leaks, question, answer)
                by_question.setdefault(asked, answer)

            # The same of what is another's as of what is not.
            for question, answer in answers:
                for secret in (B, R) if uid == ALICE else (A, A_NESTED, R):
                    other = json.dumps(question).replace(str(secret), str(free)).replace(f"{secret:x}", f"{free:x}")
                    if other == json.dumps(question) or other not in by_question:
                        continue
                    # A cookie is the next one of the client, whatever it is for.
                    if question[2] == "Subscribe" and isinstance(answer, int) and isinstance(by_question[other], int):
                        continue
                    same = json.dumps(answer).replace(str(secret), str(free)).replace(f"{secret:x}", f"{free:x}")
                    assert same == json.dumps(by_question[other]), (question, answer, by_question[other])


def foreign_clients():
    """What people have on their machines."""
    with Emitter() as emitter, Daemon() as daemon:
        Users(emitter, daemon)
        address = f"--address={daemon.bus.address}"
        for uid, own, others in ((ALICE, A, B), (BOB, B, A)):
            tree = as_user(uid, "busctl", address, "--no-pager", "tree", NAME).stdout
            assert f"/domain/_{own:x}" in tree and f"{others:x}" not in tree, tree
            shown = as_user(uid, "busctl", address, "--no-pager", "introspect", NAME, f"{PATH}/domain/_{own:x}").stdout
            assert ".CreatorUID" in shown and str(uid) in shown, shown
            assert as_user(uid, "busctl", address, "introspect", NAME, f"{PATH}/domain/_{others:x}", check=False).returncode
            answer = as_user(uid, "gdbus", "introspect", "--address", daemon.bus.address, "--dest", NAME, "--object-path", PATH,
                             "--recurse").stdout
            assert f"_{own:x}" in answer and f"_{others:x}" not in answer, answer
            answer = as_user(uid, "gdbus", "call", "--address", daemon.bus.address, "--dest", NAME, "--object-path", PATH,
                             "--method", "org.freedesktop.DBus.ObjectManager.GetManagedObjects").stdout
            assert f"_{own:x}" in answer and f"_{others:x}" not in answer, answer
            answer = as_user(uid, "gdbus", "call", "--address", daemon.bus.address, "--dest", NAME, "--object-path", PATH,
                             "--method", f"{NAME}.Manager.LookupCaller", "{}").stdout
            assert "'Domain': <uint64 0>" in answer, answer


def asks_from_within(daemon, uid):
    process = Confiner(daemon, uid)
    results = f"{daemon.directory}/results-{uid}"
    os.mkdir(results)
    os.chown(results, uid, uid)
    outer = process.confine()
    command = f"{daemon.directory}/landlockctl --bus={daemon.bus.address} --json=short"
    process.spawn(f"cd {results}; until [ -e go ]; do sleep 0.1; done; {command} list >list; {command} lookup --self >self;"
                  f" {command} lookup {process.pid} >nested; {command} lookup 1 >init 2>&1; {command} show {outer:x} >show 2>&1;"
                  " touch done; exec sleep 1000")
    inner = process.confine()
    eventually(lambda: {outer, inner} <= listed(daemon, 0), "the domains")
    open(f"{results}/go", "w").close()
    eventually(lambda: os.path.exists(f"{results}/done"), "the answers")

    def answer(name):
        with open(f"{results}/{name}") as f:
            return f.read()

    assert [int(d["domain"], 16) for d in json.loads(answer("list"))] == [inner], answer("list")
    assert "parent" not in json.loads(answer("list"))[0], answer("list")
    (myself,) = json.loads(answer("self"))
    assert not {"domain", "outside", "nested_domain"} & set(myself) and myself["known"] == "unknown", myself
    (nested,) = json.loads(answer("nested"))
    assert int(nested["domain"], 16) == int(nested["nested_domain"], 16) == inner, nested
    assert "no such process" in answer("init"), answer("init")
    assert "is not known" in answer("show"), answer("show")

    # In the innermost one there is nothing to see.
    process.spawn(f"cd {results}; {command} list >innermost; touch done-too")
    eventually(lambda: os.path.exists(f"{results}/done-too"), "the answer")
    assert json.loads(answer("innermost")) == [], answer("innermost")
    process.end()


def callers_in_domains():
    """From within a domain only what is nested in it is seen, by root too."""
    with Daemon() as daemon:
        need_bpf(daemon)
        for uid in (ALICE, 0):
            asks_from_within(daemon, uid)


def lookups():
    with Daemon() as daemon, Confined(daemon) as users:
        def lookup(uid, *arguments, **kwargs):
            result = ctl(daemon, uid, "lookup", "--json=short", *map(str, arguments), check=False, **kwargs)
            return json.loads(result.stdout)[0] if result.returncode == 0 else result.returncode

        def lookup_pidfd(uid, pid):
            fd = os.pidfd_open(pid)
            try:
                return lookup(uid, f"--pidfd={fd}", pass_fds=[fd])
            finally:
                os.close(fd)

        for look in (lookup, lookup_pidfd):
            found = look(ALICE, users.in_a)
            assert (found["pid"], int(found["domain"], 16)) == (users.in_a, users.domain_a), found
            assert found["known"] in ("kernel", "inherited"), found
            nested = look(0, users.alice.pid)
            assert (int(nested["domain"], 16), int(nested["nested_domain"], 16)) == (users.nested_a, users.domain_a), nested
            assert look(ALICE, users.in_b) == look(ALICE, 1) == look(BOB, users.in_a) == 3
            assert look(0, users.in_b)["domain"] == f"{users.domain_b:x}"
            assert look(0, os.getpid())["outside"] is True
        with subprocess.Popen(["true"]) as ended:
            fd = os.pidfd_open(ended.pid)
        assert lookup(0, f"--pidfd={fd}", pass_fds=[fd]) == 3
        os.close(fd)
        assert lookup(0, 2**22 + 1) == 3

        # A number that another process has by now.
        call = ["busctl", f"--address={daemon.bus.address}", "--json=short", "call", NAME, PATH, f"{NAME}.Manager", "LookupPID",
                "ua{sv}", str(users.in_a)]
        properties = json.loads(as_user(ALICE, *call, "0").stdout)["data"][0]
        start = properties["StartTime"]["data"]
        assert abs(start / 1e6 - time.time()) < 300, start
        as_user(ALICE, *call, "1", "start-time", "t", str(start))
        answer = as_user(ALICE, *call, "1", "start-time", "t", str(start + 2_000_000), check=False)
        assert answer.returncode != 0 and "no such process" in answer.stderr, answer


def same_sandbox():
    import sweep as sweeper
    with Daemon() as daemon, Confined(daemon) as users:
        asker = sweeper.Sweep(daemon.bus.address, [])

        def same(a, b):
            descriptors = [os.pidfd_open(a), os.pidfd_open(b)]
            fds = [sweeper.dbus.types.UnixFd(fd) for fd in descriptors]
            answer = asker.call(PATH, f"{NAME}.Manager", "IsSameSandbox", "hh", fds)
            for fd in descriptors:
                os.close(fd)
            return bool(answer)

        assert same(users.in_a, users.in_a)
        assert not same(users.in_a, users.alice.pid)
        assert not same(users.in_a, users.in_b)
        assert not same(1, os.getpid())


def nobody_can_tell():
    """Without BPF programs nobody knows whether a caller is in a domain that is older than landlockd."""
    with Daemon("Trace=no\nBpf=no\n") as daemon:
        result = ctl(daemon, ALICE, "list", check=False)
        assert result.returncode == 4 and "cannot tell whether you call from within" in result.stderr, result
        assert ctl(daemon, 0, "list").returncode == 0


def switched_off():
    with Emitter() as emitter, Daemon(PRIVILEGED) as daemon:
        Users(emitter, daemon)
        result = ctl(daemon, ALICE, "list", check=False)
        assert result.returncode == 4 and "call as root" in result.stderr, result


def load():
    """Who calls without end keeps nobody from being answered, and costs no memory."""
    flood = ("import sys; sys.path = [p for p in sys.path if p]; import dbus\n"
             "b = dbus.bus.BusConnection(sys.argv[1])\nwhile True:\n"
             f"    b.call_blocking('{NAME}', '{PATH}', '{NAME}.Manager', 'ListDomains', 'a{{sv}}', [{{'state': 'any'}}])\n")
    with Emitter() as emitter, Daemon() as daemon:
        Users(emitter, daemon)
        for i in range(2000):
            emitter.emit("create_domain", domain_id=0x100000 + i, parent_id=0, ruleset_id=1, ruleset_version=0)
        eventually(lambda: len(listed(daemon, 0)) > 2000, "the domains")
        before = daemon.proc_status("VmRSS")
        floods = [subprocess.Popen(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-c", flood,
                                    daemon.bus.address]) for uid in (ALICE, BOB) for _ in range(4)]
        try:
            time.sleep(2)
            for _ in range(5):
                begin = time.monotonic()
                ctl(daemon, 0, "status")
                took = time.monotonic() - begin
                assert took < 5, took
            emitter.deny_write(0x100000, path="/last")
            eventually(lambda: "/last" in denied(daemon), "the denial")
            assert all(process.poll() is None for process in floods)
        finally:
            for process in floods:
                process.kill()
                process.wait()
        grown = daemon.proc_status("VmRSS") - before
        assert grown < 64 << 10, grown


run([("each user sees what is his own", each_sees_own),
     ("each is told of his own denials", real_denials),
     ("domains have labels", labels),
     ("a sweep over the whole interface finds nothing of others", sweeps_find_nothing_of_others),
     ("foreign clients", foreign_clients),
     ("callers in domains see what is nested", callers_in_domains),
     ("look-ups", lookups),
     ("two processes in the same sandbox", same_sandbox),
     ("nobody can tell where the caller is", nobody_can_tell),
     ("unprivileged access switched off", switched_off),
     ("a flood of calls", load)])
