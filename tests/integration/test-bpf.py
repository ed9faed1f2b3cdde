#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What BPF programs read in the kernel, without a daemon around them: who lives in which domain, and what happens. All
of it is exact, so it must be the same as what those who did it say."""

import contextlib
import ctypes
import json
import os
import queue
import struct
import subprocess
import tempfile
import threading
from collections import Counter, defaultdict

import lifecycle
from harness import BUILDDIR, PATIENCE, Daemon, Skip, eventually, run, sandbox, unescape

BPF_DUMP = os.environ.get("BPF_DUMP", f"{BUILDDIR}/bpf-dump")


def dump(*arguments):
    result = subprocess.run([BPF_DUMP, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    if result.returncode == 77:
        raise Skip(result.stderr.strip())
    assert result.returncode == 0, f"bpf-dump {arguments} ended with {result.returncode}: {result.stderr}"
    return [json.loads(line) for line in result.stdout.splitlines()]


class Events:
    """What happens, as it is told. `with Events() as e: …`"""

    def __enter__(self):
        self.process = subprocess.Popen([BPF_DUMP, "events"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.events, self.queue = [], queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.listening = self.queue.get(timeout=PATIENCE)
        if self.listening is None and self.process.wait() == 77:
            raise Skip(self.process.stderr.read().strip())
        assert self.listening and self.listening["domains"], f"no domains are told: {self.process.stderr.read()}"
        return self

    def finish(self):
        """Takes all that has happened until now."""
        self.process.stdin.close()
        while self.next():
            pass

    def __exit__(self, kind, value, trace):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0 or kind

    def read(self):
        for line in self.process.stdout:
            self.queue.put(json.loads(line))
        self.queue.put(None)

    def next(self):
        """None at the end."""
        event = self.queue.get(timeout=PATIENCE)
        assert not event or event["type"] != "other", f"lost: {event}"
        self.events += [event] if event else []
        return event

    def until_ended(self, pids, n):
        """Takes events until so many domains, made by these processes, have ended, where that is told; then the rest."""
        made, ended = set(), set()
        while self.listening["denials"] and len(made & ended) < n:
            event = self.next()
            assert event, f"{len(made)} made and {len(made & ended)} ended of {n} domains"
            if event["type"] == "created" and event["pid"] in pids:
                made.add(event["domain"])
            if event["type"] == "freed":
                ended.add(event["domain"])
        self.finish()

    def of(self, kind, ids):
        return [e for e in self.events if e["type"] == kind and e["domain"] in ids]


def names_with_refer(handled):
    """A domain that handles any right on files handles this one: it is refused where no rule allows it."""
    return {**handled, "fs": sorted({*handled["fs"], "fs.refer"}) if handled["fs"] else []}


def match_made(truth, created):
    """The ID for each index. The kernel numbers what one thread made in the order in which it made it."""
    indexes, ids = defaultdict(list), defaultdict(list)
    for i, domain in enumerate(truth.domains):
        indexes[domain["tid"]].append(i)
    for event in created:
        ids[event["tid"]].append(event["domain"])
    lifecycle.expect_keys(ids, indexes, "threads that made domains")
    found = {}
    for tid, made in indexes.items():
        known = sorted(set(ids[tid]), key=lambda id: int(id, 16))
        lifecycle.expect(len(known), len(made), f"domains made by thread {tid}")
        found.update(zip(made, known))
    return found


def match_living(truth, told):
    """The ID for each index of which a thread lives, or in one nested in which."""
    threads = {t["tid"]: t["domain"] for t in told if t["type"] == "thread"}
    parents = {d["domain"]: d.get("parent") for d in told if d["type"] == "domain"}
    found = {}
    for task in truth.tasks:
        if task["in"] and task["domain"] is not None:
            index, id = task["domain"], threads.get(task["tid"])
            assert id, f"{task} is said to be in no domain"
            while index is not None:
                lifecycle.expect(found.setdefault(index, id), id, f"domain {index}")
                index, id = truth.domains[index]["parent"], parents[id]
            lifecycle.expect(id, None, f"what is around the outermost domain of {task}")
    lifecycle.expect(len(set(found.values())), len(found), "domains")
    return found


def check_domain(truth, ids, index, told):
    made = truth.domains[index]
    lifecycle.expect(told.get("parent"), None if made["parent"] is None else ids[made["parent"]], f"parent of {told}")
    handled = {key: sorted(told[key]) for key in ("fs", "net", "scope")}
    want = {key: sorted(value) for key, value in truth.rulesets[made["ruleset"]]["handled"].items()}
    lifecycle.expect(handled, names_with_refer(want), f"handled by {told}")
    lifecycle.expect(told["exe"].split("/")[-1] in ("lifecycle", "dash", "sh"), True, f"who made {told}")


def test_snapshot(name):
    def test():
        with lifecycle.Program(name) as program:
            truth = program.truth()
            told = dump("snapshot")
            program.release()
            program.truth()
        ids = match_living(truth, told)
        domains = {d["domain"]: d for d in told if d["type"] == "domain"}
        for index, id in ids.items():
            check_domain(truth, ids, index, domains[id])
            lifecycle.expect(domains[id]["pid"], truth.domains[index]["pid"], f"who made {id}")

        indexes = {id: index for index, id in ids.items()}
        threads = {(indexes[t["domain"]], t["pid"], t["tid"]): t for t in told
                   if t["type"] == "thread" and t["domain"] in indexes}
        want = {(t["domain"], t["pid"], t["tid"]): t for t in truth.tasks if t["in"] and t["domain"] is not None}
        lifecycle.expect_keys(threads, want, "threads as (domain, pid, tid)")
        for key, thread in threads.items():
            lifecycle.expect((unescape(thread["comm"]), thread["uid"]), (lifecycle.text(want[key], "comm"), want[key]["uid"]),
                             f"thread {key}")
        order = {d["domain"]: i for i, d in reversed(list(enumerate(told))) if d["type"] == "domain"}
        for i, line in enumerate(told[:-1]):
            around = line["domain"] if line["type"] == "thread" else line.get("parent")
            assert around is None or order[around] < i, f"{line} before what is around it"

    return test


# The same numbers on all machines.
SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
PR_SET_NAME, PR_SET_NO_NEW_PRIVS = 15, 38
RULE_PATH_BENEATH, RULE_NET_PORT = 1, 2
FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE = 1 << 0, 1 << 1, 1 << 2
NET_BIND_TCP, NET_CONNECT_TCP = 1 << 0, 1 << 1

# Of one domain; BPF_RECORD_RULES_MAX.
RULES_TOLD_MAX = 1024

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    result = function(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def restrict_thread(fs=FS_WRITE_FILE, net=0, files=(), ports=()):
    """Into a domain of its own, with rules for (path, rights) and (port, rights)."""
    handled = (ctypes.c_uint64 * 2)(fs, net)
    call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    ruleset = call(libc.syscall, SYS_LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(16), 0)
    for path, access in files:
        file = os.open(path, os.O_PATH)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, file))
        call(libc.syscall, SYS_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, rule, 0)
        os.close(file)
    for port, access in ports:
        rule = (ctypes.c_uint64 * 2)(access, port)
        call(libc.syscall, SYS_LANDLOCK_ADD_RULE, ruleset, RULE_NET_PORT, rule, 0)
    call(libc.syscall, SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


@contextlib.contextmanager
def child(prepare):
    """A process that does this, and then nothing more until the end. Gives its ID."""
    (ready, told), (end, ended) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(ended)
            prepare()
            os.write(told, b".")
            os.read(end, 1)
        finally:
            os._exit(0)
    os.close(told)
    try:
        assert os.read(ready, 1) == b".", "the process failed"
        yield pid
    finally:
        os.close(ended)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(end)


def set_comm(comm):
    """Of this thread."""
    call(libc.prctl, PR_SET_NAME, comm.encode(), 0, 0, 0)


def hierarchy(kind, option=""):
    """Where control groups of this kind are mounted."""
    with open("/proc/mounts") as f:
        for _, path, mounted, options, *_ in map(str.split, f):
            if mounted == kind and option in options.split(",") + [""]:
                return path
    return None


@contextlib.contextmanager
def control_group(root, path):
    made = []
    try:
        for component in path.split("/"):
            made.append(f"{made[-1] if made else root}/{component}")
            os.mkdir(made[-1])
        yield made[-1]
    finally:
        for directory in reversed(made):
            os.rmdir(directory)


HASH = "0123456789abcdef" * 4


def test_label():
    """The label of a domain is that of the first thread in it, in every kind of control group."""
    cases = [("cgroup2", "", path, label) for path, label in (
        ("landlockd-test.service", "name@landlockd-test.service"),
        ("landlockd-test.service/inside", "name@landlockd-test.service"),
        ("landlockd-test/plain", "name@plain"),
        (f"landlockd-test/{HASH}", "name@landlockd-test-0123456789ab"),
        (f"landlockd-test/docker-{HASH}.scope/a/b/c", "name@docker-0123456789ab"),
        ("landlockd-test/" + "n" * 255 + "/m", "name@m"),
        ("/".join(["n" * 255] * 5), None),
        ("/".join(["n"] * 32), None),
        ("/".join(["n"] * 31), "name@n"))]
    cases += [("cgroup", "name=systemd", "landlockd-test.scope", "name@landlockd-test.scope")]
    n_tested = 0
    for kind, option, path, label in cases:
        root = hierarchy(kind, option)
        if root is None or (kind == "cgroup" and b"0::/\n" not in open("/proc/self/cgroup", "rb").readlines()):
            continue
        with control_group(root, path) as group:
            check_label(group, label)
        n_tested += 1
    if n_tested == 0:
        raise Skip("no hierarchy of control groups is mounted")


def check_label(group, label):
    def prepare():
        with open(f"{group}/cgroup.procs", "w") as f:
            f.write("0")
        set_comm("name")
        restrict_thread()

    with child(prepare) as pid:
        told = dump("snapshot")
    domain = next(t["domain"] for t in told if t["type"] == "thread" and t["pid"] == pid)
    labels = {d.get("label") for d in told if d["type"] == "domain" and d["domain"] == domain}
    lifecycle.expect(labels, {label}, f"label in {group}")


def test_label_of_outer():
    """A domain that is first found around another one is labelled by a thread of its own."""
    def prepare():
        stay, started = threading.Event(), threading.Event()

        def live():
            set_comm("outside")
            started.set()
            stay.wait()

        restrict_thread()
        threading.Thread(target=live, daemon=True).start()
        assert started.wait(PATIENCE)
        set_comm("inside")
        restrict_thread()

    with child(prepare) as pid:
        told = dump("snapshot")
    names = {t["domain"]: t["comm"] for t in told if t["type"] == "thread" and t["pid"] == pid}
    labels = {d["domain"]: d["label"].split("@")[0] for d in told if d["type"] == "domain" and "label" in d}
    lifecycle.expect(sorted(names.values()), ["inside", "outside"], "threads")
    for domain, name in names.items():
        lifecycle.expect(labels[domain], name, f"label of {domain}")


def on_file(path, *access):
    found = os.stat(path)
    return (f"{os.major(found.st_dev)}:{os.minor(found.st_dev)}", found.st_ino, access)


def on_port(port, *access):
    return (port, access)


class Table:
    """What landlockd tells: its rulesets, and in which domain each process is."""

    def __init__(self, daemon):
        client = daemon.client()
        lines = client.ask(op="snapshot")
        client.close()
        self.domains = {e["domain"]: e for e in lines if e["type"] == "domain"}
        self.of_process = {e["pid"]: e["domain"] for e in lines if e["type"] == "process"}
        self.rules = defaultdict(list)
        for e in lines:
            if e["type"] == "ruleset":
                self.rules[e["ruleset"]] += e["rules"]

    def chain(self, pid):
        """The domain that it is in, and those around it."""
        domain = self.domains.get(self.of_process.get(pid))
        while domain:
            yield domain
            domain = self.domains.get(domain.get("parent"))

    def has_rules(self, pids):
        return all(self.of_process.get(pid) and all("ruleset" in domain for domain in self.chain(pid)) for pid in pids)

    def rules_of(self, domain):
        """As a set: in which order they were made is not known."""
        told = [(rule["port"], tuple(rule["access"])) if rule["kind"] == "net_port" else
                (rule["dev_number"], rule["ino"], tuple(rule["access"])) for rule in self.rules[domain["ruleset"]["id"]]]
        lifecycle.expect(len(set(told)), len(told), f"rules of {domain}")
        lifecycle.expect(domain["ruleset"]["rules"], len(told), f"number of rules of {domain}")
        return set(told)


@contextlib.contextmanager
def watching(pids):
    """A landlockd, and its table when it has told of the rules of all their domains."""
    with Daemon() as daemon:
        if b"Source bpf is unavailable" in daemon.messages().encode():
            raise Skip("BPF programs cannot be loaded")
        eventually(lambda: Table(daemon).has_rules(pids), "rules")
        yield daemon, Table(daemon)


@contextlib.contextmanager
def watched(later, then, *children):
    """Processes that do these things, after which `then` is done; and the landlockd that watches them: from before they are
    there, if they come later, or only then."""
    with contextlib.ExitStack() as stack:
        if later:
            daemon, _ = stack.enter_context(watching(set()))
            if lifecycle.Tellers(json.loads(daemon.ctl("--json=short", "status").stdout)["sources"]).rulesets:
                raise Skip("here trace events tell of rules")
        pids = [stack.enter_context(child(prepare)) for prepare in children]
        then()
        if not later:
            daemon, _ = stack.enter_context(watching(set(pids)))
        eventually(lambda: Table(daemon).has_rules(pids), "rules")
        yield daemon, Table(daemon), pids


def test_rules(later=False):
    """Exactly those that their programs made."""
    with tempfile.TemporaryDirectory() as directory:
        a, b, gone = (f"{directory}/{name}" for name in ("a", "b", "gone"))
        for path in a, b, gone:
            os.mkdir(path)
        outside = {on_file(a, "fs.execute"), on_file(b, "fs.execute", "fs.write_file"), on_file(gone, "fs.write_file"),
                   on_port(443, "net.connect_tcp"), on_port(8080, "net.bind_tcp", "net.connect_tcp"),
                   on_port(0, "net.bind_tcp")}
        inside = {on_file(b, "fs.read_file"), on_file("/", "fs.write_file", "fs.read_file")}

        def restrict_outside():
            restrict_thread(fs=FS_EXECUTE | FS_WRITE_FILE, net=NET_BIND_TCP | NET_CONNECT_TCP,
                            files=[(a, FS_EXECUTE), (b, FS_WRITE_FILE), (b, FS_EXECUTE), (gone, FS_WRITE_FILE)],
                            ports=[(443, NET_CONNECT_TCP), (8080, NET_BIND_TCP), (8080, NET_CONNECT_TCP), (0, NET_BIND_TCP)])

        def restrict_inside():
            restrict_outside()
            restrict_thread(fs=FS_READ_FILE | FS_WRITE_FILE,
                            files=[(b, FS_READ_FILE), ("/", FS_READ_FILE | FS_WRITE_FILE)])

        with watched(later, lambda: os.rmdir(gone), restrict_outside, restrict_inside, restrict_thread) as (daemon, table, pids):
            for pid, want in zip(pids, ([outside], [inside, outside], [set()])):
                domains = list(table.chain(pid))
                lifecycle.expect([table.rules_of(domain) for domain in domains], want, f"rules around {pid}")
                lifecycle.expect({domain["ruleset"]["rules_unknown"] for domain in domains}, {0}, f"unknown rules of {pid}")
            shown = daemon.ctl("show", table.of_process[pids[0]]).stdout
            device, inode, _ = on_file(a)
            assert f"(inode {inode} on {device}) fs.execute" in shown and "port 443" in shown, shown


def test_many_rules():
    """Of more than can be told the rest is counted. Of more than can be gone through nothing is told."""
    with tempfile.TemporaryDirectory() as directory:
        files = [f"{directory}/{i}" for i in range(RULES_TOLD_MAX + 100)]
        for path in files:
            os.mkdir(path)

        def restrict():
            restrict_thread(files=[(path, FS_WRITE_FILE) for path in files])

        def restrict_more():
            restrict_thread(fs=0, net=NET_BIND_TCP, ports=[(port, NET_BIND_TCP) for port in range(40000)])

        with child(restrict) as pid, child(restrict_more) as more, watching({pid}) as (_, table):
            (domain,) = table.chain(pid)
            told = table.rules_of(domain)
            lifecycle.expect((len(told), domain["ruleset"]["rules_unknown"]), (RULES_TOLD_MAX, 100), "rules")
            assert told < {on_file(path, "fs.write_file") for path in files}, told
            (domain,) = table.chain(more)
            assert "ruleset" not in domain, domain


def test_thread():
    with lifecycle.Program("thread-one") as program:
        truth = program.truth()
        # Last comes where a thread went.
        want = {str(task["tid"]): task["domain"] for task in truth.tasks if task["in"]}
        told = {t["tid"]: t["domain"] for t in dump("thread", *want, str(os.getpid()), "4194305")}
        program.release()
        program.truth()
    lifecycle.expect(told.pop("4194305"), None, "a thread that there is not")
    lifecycle.expect(told.pop(str(os.getpid())), "0", "a thread in no domain")
    assert len({want[tid] is None for tid in want}) == 2, f"one thread of several is in a domain: {want}"
    for tid, domain in told.items():
        lifecycle.expect(domain != "0", want[tid] is not None, f"whether {tid} is in a domain")


def test_load():
    """Also where others are used, as they must work on all kernels, whatever compiler made them."""
    lifecycle.expect(dump("load"), [{"type": "loaded"}], "the programs on the system call")


def test_events(name):
    """Domains: when they are made, by whom; who gets into them; their ends."""
    def test():
        with Events() as events, lifecycle.Program(name) as program:
            program.truth()
            program.release()
            truth = program.truth()
            pids = {domain["pid"] for domain in truth.domains}
            if not events.listening["denials"]:
                program.end()
            events.until_ended(pids, len(truth.domains))

            created = {e["domain"]: e for e in events.events if e["type"] == "created" and e["pid"] in pids}
            ids = match_made(truth, created.values())
            seen = {e["domain"]: e for e in events.of("domain", created)}
            for index, id in ids.items():
                made = truth.domains[index]
                lifecycle.expect(created[id].get("parent"), None if made["parent"] is None else ids[made["parent"]],
                                 f"parent of domain {index}")
                check_domain(truth, ids, index, seen[id])
            check_enforced(truth, ids, events)
            if events.listening["denials"]:
                ends = {e["domain"]: e.get("denials") for e in events.of("freed", created)}
                lifecycle.expect(ends, {ids[i]: made["denials"] for i, made in enumerate(truth.domains)}, "denials")
                check_denied(truth, ids, events)
            else:
                counts = {e["domain"]: e["denials"] for e in events.of("counted", created)}
                lifecycle.expect(counts, {ids[i]: made["denials"] for i, made in enumerate(truth.domains)
                                          if made["denials"]}, "denials counted by the end of the last thread")

    return test


def check_enforced(truth, ids, events):
    want = {(ids[t["domain"]], t["pid"], t["tid"]) for t in truth.tasks if t["way"] == "enforced"}
    enforced = events.of("enforced", ids.values())
    told = {(e["domain"], e["pid"], e["tid"]) for e in enforced}
    # Where functions cannot be attached to, the other threads of a process are found by looking, however they came
    # there.
    looked = {(e["domain"], e["pid"], e["tid"]) for e in events.of("thread", ids.values())}
    ever = {(ids[t["domain"]], t["pid"], t["tid"]) for t in truth.tasks if t["domain"] is not None}
    lifecycle.expect(looked - ever, set(), "threads that never were there")
    lifecycle.expect(told | looked & want, want, "threads that were restricted")
    indexes = {id: index for index, id in ids.items()}
    for e in enforced:
        made = truth.domains[indexes[e["domain"]]]
        lifecycle.expect((e["process_wide"], e["no_new_privs"]), (made["process_wide"], made["no_new_privs"]), f"{e}")


def check_denied(truth, ids, events):
    indexes = {id: index for index, id in ids.items()}
    got, want = Counter(), Counter()
    for denial in events.of("denial", ids.values()):
        lifecycle.expect((denial["blockers"], denial["object"]["name"]), (["fs.write_file"], "file"), f"{denial}")
        # That the kernel does not log it is known; that it does is up to audit.
        may_be_logged = denial.get("logged", True)
        got[indexes[denial["domain"]], denial["pid"], denial["tid"], denial["same_exec"], may_be_logged] += 1
    for denial in truth.denials:
        want[denial["domain"], denial["pid"], denial["tid"], denial["same_exec"], denial["logged"]] += denial["count"]
    lifecycle.expect(got, want, "denials as (domain, pid, tid, same_exec, logged)")


def raw(values, key):
    return bytes.fromhex(values[key + "_hex"]) if key + "_hex" in values else values[key].encode()


def is_denial(expected, told):
    """Whether that is what was expected, as far as both know it."""
    o, t = expected["object"], told["object"]
    if sorted(expected["blockers"]) != sorted(told["blockers"]) or o["kind"] != t["kind"]:
        return False
    for key in ("ino", "pid", "local_address", "local_port", "remote_address", "remote_port", "ioctl_cmd"):
        if o.get(key) != t.get(key) and key in o:
            return False
    for key in ("comm", "path"):
        if (key in o or key + "_hex" in o) and key in t and raw(o, key) != unescape(t[key]):
            return False
    path = raw(o, "path").removesuffix(b" (deleted)") if "name" in t and ("path" in o or "path_hex" in o) else b""
    # Audit says so of a path that is too long, and that of a mount is where it is mounted.
    if path.startswith(b"/") and t["name"] != "/" and os.path.basename(path.rstrip(b"/")) != unescape(t["name"]):
        return False
    return ("pid" not in told or "pid" not in expected or told["pid"] == expected["pid"]) and \
        not (told.get("logged") is False and expected["logged"])


def test_denials():
    """Every way in which this kernel denies, logged or not."""
    with Events() as events:
        if not events.listening["denials"]:
            raise Skip("this kernel does not let Landlock's functions be attached to")
        truths = sandbox("all")
        pids = {e["creator"] for truth in truths for e in truth["expected"]}
        n_domains = {pid: len({e["domain"] for truth in truths for e in truth["expected"] if e["creator"] == pid})
                     for pid in pids}
        events.until_ended(pids, sum(n_domains.values()))

        made = defaultdict(list)
        for e in events.events:
            if e["type"] == "created":
                made[e["pid"]].append(e["domain"])
        expected, told = defaultdict(list), defaultdict(list)
        for truth in truths:
            for e in truth["expected"]:
                expected[e["creator"], e["domain"]] += [e] * e["count"]
        for e in events.events:
            if e["type"] == "denial":
                told[e["domain"]].append(e)
        ends = {e["domain"]: e.get("denials") for e in events.events if e["type"] == "freed"}
        for pid in pids:
            # Some of its domains deny nothing.
            ids = sorted((id for id in set(made[pid]) if told[id]), key=lambda id: int(id, 16))
            keys = sorted(key for key in expected if key[0] == pid)
            lifecycle.expect(len(ids), len(keys), f"domains of {pid} that denied {[told[id] for id in ids]}")
            for key, id in zip(keys, ids):
                check_denials_of(expected[key], told[id], ends[id])


def check_denials_of(expected, told, end):
    lifecycle.expect(len(told), len(expected), f"denials {told} for {expected}")
    # The kernel does not count those of a domain that logs none.
    assert end == len(expected) or (end is None and not any(e["logged"] for e in expected)), f"{end}: {expected}"
    left = list(expected)
    for denial in told:
        fitting = [e for e in left if is_denial(e, denial)]
        assert fitting, f"{denial} is none of {left}"
        left.remove(fitting[0])


# They hold what they made; the others are over by then.
HELD = lifecycle.names()

run([(f"snapshot-{name}", test_snapshot(name)) for name in HELD] +
    [("thread", test_thread), ("load", test_load), ("label", test_label), ("label-of-outer", test_label_of_outer),
     ("rules", test_rules), ("rules-later", lambda: test_rules(later=True)), ("many-rules", test_many_rules)] +
    [(f"events-{name}", test_events(name)) for name in HELD] +
    [("denials", test_denials)])
