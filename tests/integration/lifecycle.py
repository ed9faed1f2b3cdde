# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life-cycles that the lifecycle program goes through, and what landlockd tells of them on its JSON socket, held
against each other. `go_through` is for a landlockd that is told of each domain when it is made: by Landlock's trace
events, where everything must be known, or by BPF programs, which know what each domain has of its ruleset."""

import ctypes
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from pprint import pformat

from harness import BUILDDIR, PATIENCE, VALIDATOR, Client, Skip, unescape

PROGRAM = os.environ.get("LIFECYCLE", f"{BUILDDIR}/lifecycle")

# Lines of one kind that are held to the schema, which takes longer than all else; the others differ in values only.
VALIDATED_MAX = 100

# Domains that one request can name.
DOMAINS_PER_REQUEST = 64

SYS_LANDLOCK_CREATE_RULESET = 444


def names():
    """Those that this kernel knows."""
    return subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True).stdout.split()


def expect(got, want, what):
    assert got == want, f"{what}:\n got {pformat(got)}\nwant {pformat(want)}"


def expect_keys(got, want, what):
    """The same keys; tells only those that are wrong."""
    missing, surplus = [k for k in want if k not in got], [k for k in got if k not in want]
    assert not missing and not surplus, f"{what}: missing {missing[:10]}, surplus {surplus[:10]} " \
        f"({len(missing)} and {len(surplus)} of {len(want)})"


def text(values, key):
    """What the program says of a text: plain, or in hex where it is no plain text."""
    return bytes.fromhex(values[key + "_hex"]) if key + "_hex" in values else values[key].encode()


validated = Counter()
told_by = Counter()  # denials, by who told of them


def validate(event):
    kind = event["type"], event.get("change")
    if validated[kind] < VALIDATED_MAX:
        validated[kind] += 1
        VALIDATOR.validate(event)


# Confines itself, is denied something, and ends.
MARK = """
import ctypes
libc = ctypes.CDLL(None)
write_file = ctypes.c_uint64(2)
ruleset = libc.syscall(444, ctypes.byref(write_file), ctypes.c_size_t(8), 0)
assert ruleset >= 0 and libc.prctl(38, 1, 0, 0, 0) == 0 and libc.syscall(446, ruleset, 0) == 0
try:
    open("/dev/null", "w")
except PermissionError:
    pass
"""


class Tellers:
    """What landlockd is told, by the states of its sources."""

    def __init__(self, sources):
        state = {source["name"]: source["state"] for source in sources}
        self.rulesets = state["trace"] == "active"
        self.domains = self.rulesets or state["bpf"] in ("active", "degraded")
        # Else it is asked in which domain a thread is that has restricted itself, if it still lives then.
        self.creation = not [source for source in sources if "functions and system call is refused" in source.get("reason", "")]
        self.denials = self.rulesets or state["bpf"] == "active"  # all of them, and the ends of domains
        self.all = "trace" if self.rulesets else "bpf" if self.denials else None


class Program:
    """The program while it goes through one life-cycle."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([PROGRAM, "--hold", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def truth(self):
        """What it made; blocks until that is known."""
        line = self.process.stdout.readline()
        if not line and self.process.wait() == 77:
            raise Skip("this kernel's Landlock is too old")
        assert line, f"{self.process.args} ended with {self.process.wait()}"
        return Truth(json.loads(line))

    def release(self):
        """Lets all that it holds end."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0, self.process.args
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.end()


class Truth:
    """What the program made, by index; the kernel does not tell it the IDs."""

    def __init__(self, line):
        self.name = line["case"]
        self.domains, self.rulesets = line["domains"], line["rulesets"]
        self.denials, self.tasks = line["denials"], line["tasks"]

    def live_domains(self):
        return {i for i, domain in enumerate(self.domains) if domain["live"]}

    def is_inside(self, index, outer):
        """Whether the domain is this one, or nested in it."""
        while index is not None and index != outer:
            index = self.domains[index]["parent"]
        return index is not None

    def processes(self, live=False):
        """(domain, pid) → its threads."""
        found = defaultdict(list)
        for task in self.tasks:
            if task["domain"] is not None and (task["in"] or not live):
                found[task["domain"], task["pid"]].append(task)
        return found

    def denied(self):
        """How each denial is told, and how often."""
        found = Counter()
        for d in self.denials:
            found[d["domain"], d["pid"], d["tid"], d["same_exec"], d["logged"]] += d["count"]
        return found


class View:
    """What whoever reads the stream knows. Any event that comes twice, or cannot follow those before, is a failure."""

    def __init__(self, tellers, others=()):
        self.tellers = tellers
        self.others = set(others)  # domains that were there before
        self.domains, self.ended_domains = {}, set()
        self.rulesets, self.freed_rulesets, self.rules = {}, set(), defaultdict(dict)
        self.processes = {}  # (domain, pid) → what it was added as
        self.live_processes = set()
        self.denials = {}

    def take(self, event):
        if event.get("domain") not in self.others:
            getattr(self, f"take_{event['type']}")(event, event.get("change"))

    def forget_others(self, pids):
        """What was made by none of these: others use this machine, too."""
        foreign = {id for id, event in self.domains.items() if event.get("creator", {}).get("pid") not in pids}
        self.others |= foreign
        self.domains = {id: event for id, event in self.domains.items() if id not in foreign}
        self.denials = {number: event for number, event in self.denials.items() if event["domain"] not in foreign}
        self.processes = {key: event for key, event in self.processes.items() if key[0] not in foreign}
        self.live_processes -= {key for key in self.live_processes if key[0] in foreign}
        self.ended_domains -= foreign

    def take_ruleset(self, event, change):
        ruleset = event["ruleset"]
        assert ruleset not in self.freed_rulesets, f"after its end: {event}"
        # Where nobody tells of rulesets, it is what a domain has of one, read in the kernel.
        assert not self.tellers.rulesets or (ruleset in self.rulesets) == (change != "created"), \
            f"twice, or never made: {event}"
        self.rulesets[ruleset] = event
        if change == "rule-added":
            (rule,) = event["rules"]
            assert rule["version"] not in self.rules[ruleset], f"twice: {event}"
            self.rules[ruleset][rule["version"]] = rule
        if change == "freed":
            self.freed_rulesets.add(ruleset)

    def take_domain(self, event, change):
        domain = event["domain"]
        if change == "freed" and domain not in self.domains:
            # Nobody has lived in it since before we looked.
            self.others.add(domain)
            return
        assert change != "evicted", event
        assert domain not in self.ended_domains, f"after its end: {event}"
        assert (domain in self.domains) == (change != "added"), f"twice, or never made: {event}"
        if change == "added":
            expect((event["denials"], event["processes_count"]), ({"seen": 0}, 0), "a new domain's contents")
        self.domains[domain] = event
        if change == "freed":
            # With it all who are in it are gone, whether that was told or not.
            self.live_processes -= {key for key in self.live_processes if key[0] == domain}
            self.ended_domains.add(domain)

    def take_process(self, event, change):
        key = event["domain"], event["pid"]
        if change == "added":
            assert key not in self.processes, f"twice: {event}, before as {self.processes[key]}"
            assert key[0] in self.domains and key[0] not in self.ended_domains, f"in no domain: {event}"
            self.processes[key] = event
            self.live_processes.add(key)
        else:
            assert key in self.live_processes, f"not there: {event}"
        if change == "gone":
            self.live_processes.remove(key)

    def take_denial(self, event, _):
        assert event["denial"] not in self.denials, f"twice: {event}"
        assert event["domain"] in self.domains and event["domain"] not in self.ended_domains, f"in no domain: {event}"
        self.denials[event["denial"]] = event

    def take_reconciled(self, event, _):
        raise AssertionError(f"nothing was lost: {event}")

    def take_lost(self, event, _):
        raise AssertionError(f"lost: {event}")


class Observer(Client):
    """A client that keeps up with the stream while it waits for others."""

    def __init__(self, path):
        self.path, self.lines, self.rest, self.seq = path, deque(), b"", None
        super().__init__(path)
        self.seq = self.hello["seq"]
        self.tellers = Tellers(self.hello["sources"])

    def receive(self):
        data = self.socket.recv(1 << 20)
        assert data, "landlockd has closed the connection"
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.lines.extend(lines)

    def await_readable(self, file):
        """Returns when the file can be read, whatever comes here meanwhile."""
        ready = []
        while file not in ready:
            ready = select.select([self.socket, file], [], [], 300)[0]
            assert ready, "nothing happens"
            if self.socket in ready:
                self.receive()

    def next(self, timeout=PATIENCE):
        deadline = time.monotonic() + timeout
        while not self.lines:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            self.receive()
        event = json.loads(self.lines.popleft())
        validate(event)
        if self.seq is not None:
            expect(event["seq"], self.seq + 1, "the number of an event")
            self.seq += 1
        return event

    def read(self, view, condition, what):
        """Takes events until the condition is met."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            event = self.next(max(0.01, deadline - time.monotonic()))
            assert event, f"{what} did not come"
            view.take(event)

    def catch_up(self, view):
        """Takes all events of what has happened before this call."""
        if self.tellers.rulesets:
            self.await_ruleset(view)
        else:
            self.await_domain(view)

    def await_domain(self, view):
        """One of our own comes and goes after all others, and each source has told something of it."""
        with subprocess.Popen([sys.executable, "-c", MARK]) as process:
            assert process.wait() == 0
        own, denied, ended = None, False, False
        deadline = time.monotonic() + PATIENCE
        while not (denied and ended):
            event = self.next(max(0.01, deadline - time.monotonic()))
            assert event, "a domain did not come and go"
            if event["type"] == "domain" and event.get("creator", {}).get("pid") == process.pid:
                own = event["domain"]
            if own and event.get("domain") == own:
                denied |= event["type"] == "denial"
                ended |= event["type"] == "domain" and event["change"] == "freed"
            else:
                view.take(event)

    def await_ruleset(self, view):
        """A ruleset of our own comes after them."""
        attr = ctypes.c_uint64(1)
        fd = ctypes.CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(8), 0)
        assert fd >= 0, "there is no Landlock"
        os.close(fd)
        own = 0
        deadline = time.monotonic() + PATIENCE
        while own < 2:
            event = self.next(max(0.01, deadline - time.monotonic()))
            assert event, "a ruleset did not come"
            if event["type"] == "ruleset" and event.get("creator", {}).get("tid") == threading.get_native_id():
                own += 1
            else:
                view.take(event)

    def all_domains(self):
        """All that landlockd knows."""
        client = Client(self.path, validate=False)
        lines = client.ask(op="snapshot")
        client.close()
        return [line["domain"] for line in lines if line["type"] == "domain"]

    def snapshot(self, domains):
        """What landlockd keeps of these domains: lines by type."""
        client = Client(self.path, validate=False)
        found = defaultdict(list)
        rulesets = {}
        for i in range(0, len(domains), DOMAINS_PER_REQUEST):
            (reply,) = client.ask(op="subscribe", types=["ruleset", "domain", "process"],
                                  domains=domains[i:i + DOMAINS_PER_REQUEST])
            assert reply["ok"], reply
            for line in client.ask(op="snapshot")[:-1]:
                validate(line)
                if line["type"] == "ruleset":
                    known = rulesets.setdefault(line["ruleset"], {**line, "rules": []})
                    known["rules"] += [r for r in line["rules"] if r not in known["rules"]]
                else:
                    found[line["type"]].append(line)
        client.close()
        found["ruleset"] = list(rulesets.values())
        return found


def match(made, told, what, maker="tid"):
    """The ID for each index. The kernel numbers what one thread made in the order in which it made it."""
    indexes, ids, result = defaultdict(list), defaultdict(list), {}
    for i, m in enumerate(made):
        indexes[m[maker]].append(i)
    for id, event in told.items():
        ids[event.get("creator", {}).get(maker)].append(id)
    expect_keys(ids, indexes, f"the makers of {what}")
    for tid in indexes:
        expect(len(ids[tid]), len(indexes[tid]), f"{what} made by {maker} {tid}")
        result.update(zip(indexes[tid], sorted(ids[tid], key=lambda id: int(id, 16))))
    return result


def as_read_in_kernel(handled):
    """A layer that handles any right on files handles this one: it is refused where no rule allows it."""
    return {**handled, "fs": handled["fs"] + ["fs.refer"] * (handled["fs"] != [] and "fs.refer" not in handled["fs"])}


def merged(rules):
    """Which rights there are on each object, however many rules gave them."""
    found = defaultdict(set)
    for rule in rules:
        found[rule["kind"], rule.get("dev_number"), rule.get("ino"), rule.get("port")] |= set(rule["access"])
    return dict(found)


class Check:
    """Truth and view of one life-cycle."""

    def __init__(self, truth, view, tellers):
        self.truth, self.view, self.tellers = truth, view, tellers
        if not tellers.rulesets:
            view.forget_others({task["pid"] for task in truth.tasks} | {domain["pid"] for domain in truth.domains})
        self.domains = match(truth.domains, view.domains, "domains", "tid" if tellers.creation else "pid")
        self.indexes = {id: i for i, id in self.domains.items()}
        self.rulesets = match(truth.rulesets, view.rulesets, "rulesets") if tellers.rulesets else {}
        # Those of which audit tells.
        self.logged = Counter()
        for denial in truth.denials:
            self.logged[denial["domain"]] += denial["count"] if denial["logged"] else 0

    def true_rules(self, ruleset, version):
        return [{**{k: v for k, v in rule.items() if k not in ("path", "path_hex")},
                 **({"path": text(rule, "path")} if rule["kind"] == "path_beneath" else {})}
                for rule in self.truth.rulesets[ruleset]["rules"] if rule["version"] <= version]

    @staticmethod
    def told_rules(rules, version):
        return [{**rule, **({"path": unescape(rule["path"])} if "path" in rule else {})}
                for rule in sorted(rules, key=lambda rule: rule["version"]) if rule["version"] <= version]

    def own_rules(self, index):
        """What the domain itself allows on each object."""
        made = self.truth.domains[index]
        return merged(rule for rule in self.truth.rulesets[made["ruleset"]]["rules"] if rule["version"] <= made["version"])

    def lived_in(self):
        """Domains that somebody lives in, or in one nested in it."""
        found = set()
        for index in {task["domain"] for task in self.truth.tasks if task["in"]}:
            while index is not None and index not in found:
                found.add(index)
                index = self.truth.domains[index]["parent"]
        return found

    def reads_rules(self, index, told):
        """They are read by way of a thread, which may have ended before."""
        return self.tellers.domains and (index in self.lived_in() or "ruleset" in told)

    def check_rulesets(self):
        for i, id in self.rulesets.items():
            made, told = self.truth.rulesets[i], self.view.rulesets[id]
            n = len(made["rules"])
            expect((told["handled"], told["version"], told["rules_total"], told["rules_unknown"]),
                   (made["handled"], n, n, 0), f"ruleset {id}")
            expect(self.told_rules(self.view.rules[id].values(), n), self.true_rules(i, n), f"rules of ruleset {id}")

    def check_domain(self, index, told):
        """A line about the domain, of the stream or of a snapshot."""
        made = self.truth.domains[index]
        handled = self.truth.rulesets[made["ruleset"]]["handled"]
        want = {
            "creator": {"pid": made["pid"], "tid": made["tid"]} if self.tellers.creation else {"pid": made["pid"]},
            "parent": None if made["parent"] is None else self.domains[made["parent"]],
            "outermost": made["parent"] is None,
            "handled": handled if self.tellers.rulesets else as_read_in_kernel(handled),
        }
        if self.tellers.creation:
            want["enforcement"] = {"process_wide": made["process_wide"], "no_new_privs": made["no_new_privs"]}
        if self.tellers.rulesets:
            want["ruleset"] = {"id": self.rulesets[made["ruleset"]], "version": made["version"], "rules": made["version"],
                               "rules_unknown": 0}
        elif self.reads_rules(index, told):
            n = len(self.own_rules(index))
            want["ruleset"] = {"id": told["domain"], "version": n, "rules": n, "rules_unknown": 0}
        got = {key: told.get(key) for key in want}
        got["creator"] = {key: told.get("creator", {}).get(key) for key in want["creator"]}
        got["outermost"] = told.get("outermost", False)
        expect(got, want, f"domain {index} ({told['domain']})")
        assert ("created" in told) == self.tellers.creation, told

    def check_domains(self):
        for index, id in self.domains.items():
            self.check_domain(index, self.view.domains[id])
            if not self.tellers.rulesets:
                if self.reads_rules(index, self.view.domains[id]):
                    expect(merged(self.view.rules[id].values()), self.own_rules(index), f"rules of domain {index} ({id})")
                continue
            rules = self.view.rules[self.rulesets[self.truth.domains[index]["ruleset"]]].values()
            version = self.truth.domains[index]["version"]
            expect(self.told_rules(rules, version), self.true_rules(self.truth.domains[index]["ruleset"], version),
                   f"rules of domain {index} ({id})")

    def live_domains(self):
        return {self.domains[i] for i in self.truth.live_domains()}

    def check_live(self, snapshot):
        """What lives: by the stream, by a snapshot, by the truth."""
        processes = {(self.domains[domain], pid): tasks
                     for (domain, pid), tasks in self.truth.processes(live=True).items()}
        expect_keys(self.view.live_processes, processes, "processes by the stream")
        expect_keys({(p["domain"], p["pid"]) for p in snapshot["process"]}, processes, "processes in the snapshot")
        for process in snapshot["process"]:
            self.check_process(process, processes[process["domain"], process["pid"]])

        told = {domain["domain"]: domain for domain in snapshot["domain"]}
        expect_keys(told, self.live_domains(), "domains in the snapshot")
        for index, id in self.domains.items():
            if id in told:
                self.check_domain(index, told[id])
                expect(told[id]["processes_count"], len([p for p in processes if p[0] == id]), f"processes of {id}")
        for ruleset in snapshot["ruleset"]:
            rules = list(self.view.rules[ruleset["ruleset"]].values())
            expect(sorted(ruleset["rules"], key=lambda r: r["version"]), sorted(rules, key=lambda r: r["version"]),
                   f"rules of {ruleset['ruleset']} in the snapshot")
        if self.tellers.rulesets:
            expect_keys({r["ruleset"] for r in snapshot["ruleset"]},
                        {self.rulesets[self.truth.domains[i]["ruleset"]] for i in self.truth.live_domains()},
                        "rulesets in the snapshot")

    def check_process(self, told, tasks):
        expect(told.get("threads"), len(tasks), f"threads of {told}")
        got = {"comm": unescape(told["comm"]) if "comm" in told else None,
               "exe": unescape(told["exe"]) if "exe" in told else None, "uid": told.get("uid")}
        for key, value in got.items():
            true = {task["uid"] if key == "uid" else text(task, key) for task in tasks}
            assert value in true or value is None and self.is_orphan(tasks), f"{key} is not of {true}: {told}"

    def is_orphan(self, tasks):
        """Whether who forked the process can have been gone before anybody looked: what it ran is then not known."""
        maker = self.truth.domains[tasks[0]["domain"]]["tid"]
        return {task["way"] for task in tasks} == {"forked"} and \
            not [task for task in self.truth.tasks if task["tid"] == maker and task["in"]]

    def goes_on(self, domain, pid):
        """Whether the process was in a nested domain, too."""
        index = self.indexes[domain]
        return bool([d for d, p in self.truth.processes() if p == pid and d != index and self.truth.is_inside(d, index)])

    def check_past(self):
        """Who was ever where, and how that was known."""
        processes = {(self.domains[domain], pid): tasks for (domain, pid), tasks in self.truth.processes().items()}
        if not self.tellers.creation:
            # Who went further in before anybody asked was never told to be further out.
            processes = {key: tasks for key, tasks in processes.items()
                         if key in self.view.processes or not self.goes_on(*key)}
        expect_keys(self.view.processes, processes, "processes that ever were")
        denied = {denial["pid"] for denial in self.truth.denials}
        for key, tasks in processes.items():
            known = self.view.processes[key]["known"]
            enforced = "enforced" in {task["way"] for task in tasks}
            # Audit can be the first to name one that was denied something; and if its parent has just got into the domain,
            # by the word of a BPF program, the kernel is asked whether it is in it, too.
            asked = known == "kernel" and not self.tellers.rulesets
            assert known == "kernel" if enforced else known == "inherited" or key[1] in denied or asked, \
                f"{key} is known by {known}"

    def check_denials(self):
        got = Counter()
        for denial in self.view.denials.values():
            subject = denial["subject"]
            expect((denial["count"], denial["blockers"]), (1, ["fs.write_file"]), "a denial")
            # A BPF program knows the name alone.
            path = denial["object"].get("path") or "/" + denial["object"]["name"]
            assert path.endswith("/file"), denial
            # That audit tells of it says it, too; of one that a BPF program alone told, because audit's half came late, it is not
            # known.
            logged = denial.get("logged", True)
            told_by[" and ".join(denial["origin"]) if logged else "not logged"] += 1
            got[self.indexes[denial["domain"]], subject.get("pid"), subject.get("tid"), denial.get("same_exec"), logged] += 1
            # Audit's half may come too late to be waited for: whoever calls judges how often.
            if self.tellers.all:
                assert denial["origin"] == [self.tellers.all] or \
                    denial["origin"] == ["audit", self.tellers.all] and logged, denial
            else:
                assert denial["origin"] == ["audit"], denial
        want = self.truth.denied()
        if not self.tellers.all:
            want = Counter()
            for denial in self.truth.denials:
                if denial["logged"]:
                    want[denial["domain"], denial["pid"], None, None, True] += denial["count"]
        expect(got, want, "denials as (domain, pid, tid, same_exec, logged)")

    def check_ends(self):
        for index, id in self.domains.items():
            n = self.truth.domains[index]["denials"]
            told = self.view.domains[id]
            seen = n if self.tellers.all else self.logged[index]
            want = {"seen": seen, "kernel": n, "unseen": n - seen}
            # Audit alone tells the end of those only that it told of before.
            if not self.tellers.domains and seen == 0:
                want = {"seen": 0}
            expect((told["state"], told["denials"]), ("deallocated", want), f"the end of domain {index} ({id})")


def go_through(observer, *arguments, held=lambda truth, check: None):
    """One life-cycle, and all that is told of it. `held` is called while all of it lives. Returns the truth."""
    view = View(observer.tellers, observer.all_domains())
    with Program(*arguments) as program:
        observer.await_readable(program.process.stdout)
        truth = program.truth()
        observer.catch_up(view)
        check = Check(truth, view, observer.tellers)
        ended = {id for i, id in check.domains.items() if not truth.domains[i]["live"]}
        # The kernel frees a domain a little after its last process.
        observer.read(view, lambda: ended <= view.ended_domains, "the end of domains that nobody is in")
        expect_keys(view.ended_domains & set(check.domains.values()), ended, "domains that have ended")
        check.check_rulesets()
        check.check_domains()
        check.check_live(observer.snapshot(sorted(check.live_domains())))
        held(truth, check)

        program.release()
        observer.await_readable(program.process.stdout)
        truth = program.truth()
        observer.read(view, lambda: view.ended_domains >= set(check.domains.values()) and
                      (len(view.freed_rulesets) == len(check.rulesets) or not observer.tellers.rulesets),
                      "the end of all domains and rulesets")
        observer.catch_up(view)
    check = Check(truth, view, observer.tellers)
    check.check_rulesets()
    check.check_domains()
    check.check_past()
    check.check_denials()
    check.check_ends()
    return truth
