#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way in which this kernel denies: published once each, with what was denied to whom, and each domain's count
equal to the kernel's own."""

import json
import re
import subprocess
from collections import Counter

from harness import LANDLOCKCTL, SANDBOX, SRCDIR, VALIDATOR, Daemon, run, sandbox, unescape


def raw(values, key):
    """What the sandbox program says of a text: plain, or in hex where it is no plain text."""
    if key + "_hex" in values:
        return bytes.fromhex(values[key + "_hex"])
    return values[key].encode() if key in values else None


def expected_denial(expected):
    """Comparable form of an expected denial."""
    o = expected["object"]
    return (tuple(sorted(expected["blockers"])), o["kind"], raw(o, "path"), o.get("ino"), raw(o, "comm"), o.get("pid"),
            o.get("local_address"), o.get("local_port"), o.get("remote_address"), o.get("remote_port"),
            o.get("ioctl_cmd"))


def published_denial(event, expected):
    """The same of an event, with only those members that the expectation knows."""
    o = event["object"]
    e = expected["object"]

    def text(key):
        return unescape(o[key]) if key in o and (key in e or key + "_hex" in e) else None

    def member(key, value):
        return value if key in e else None

    return (tuple(sorted(event["blockers"])), o["kind"], text("path"), member("ino", o.get("ino")), text("comm"),
            member("pid", o.get("pid")),
            member("local_address", o.get("local", {}).get("address")),
            member("local_port", o.get("local", {}).get("port")),
            member("remote_address", o.get("remote", {}).get("address")),
            member("remote_port", o.get("remote", {}).get("port")),
            member("ioctl_cmd", int(o.get("ioctl_cmd", "0"), 16)))


def all_told(truth, events):
    """The same two for check(), where trace events tell also what is not logged, and of domains that deny nothing."""
    expected = []
    for e in truth["expected"]:
        o = e["object"]
        # Their path is preferred to audit's, and does not say that the file was deleted.
        path = {"path": o["path"].removesuffix(" (deleted)")} if "path" in o else {}
        expected.append({**e, "logged": True, "object": {**o, **path}})
    silent = {e["domain"] for e in events if e["type"] == "domain" and e["denials"].get("kernel") == 0}
    return {**truth, "expected": expected}, [e for e in events if e.get("domain") not in silent]


def audits_share(truth, events):
    """The same two for check(), where BPF programs tell of all denials: what is logged, which alone has a path."""
    # Of those that a rule keeps quiet BPF programs do not know that they are.
    quiet = {e["object"].get("ino") for e in truth["expected"] if not e["logged"]} - {None}

    def is_logged(event):
        return event["type"] != "denial" or event.get("logged", event["object"].get("ino") not in quiet)

    logged, others = set(), Counter()
    for e in events:
        if e["type"] == "denial":
            if is_logged(e):
                logged.add(e["domain"])
            else:
                others[e["domain"]] += 1
    share = []
    for e in events:
        if e.get("domain") in logged and is_logged(e):
            n = others[e["domain"]]
            if e["type"] == "domain" and e["change"] == "freed":
                assert e["denials"]["unseen"] == 0, e
                e = {**e, "denials": {"seen": e["denials"]["seen"] - n, "kernel": e["denials"]["kernel"], "unseen": n}}
            share.append(e)
    return truth, share


def check(truth, events):
    """Holds the events of one kind to what its program did."""
    per_domain = {}
    for e in truth["expected"]:
        per_domain.setdefault((e["creator"], e["domain"]), []).append(e)
    logged = {k: v for k, v in per_domain.items() if any(e["logged"] for e in v)}

    domains = [e for e in events if e["type"] == "domain" and e["state"] == "deallocated"]
    for creator in {k[0] for k in logged}:
        # IDs grow in the order of creation.
        keys = sorted(k for k in logged if k[0] == creator)
        ended = sorted((d for d in domains if d["creator"]["pid"] == creator), key=lambda d: int(d["domain"], 16))
        assert len(ended) == len(keys), f"{len(ended)} domains of {creator} ended, not {len(keys)}"
        for key, domain in zip(keys, ended):
            check_domain(logged[key], domain, events)


def check_domain(expected, domain, events):
    denials = [e for e in events if e["type"] == "denial" and e["domain"] == domain["domain"]]
    want = Counter()
    for e in expected:
        if e["logged"]:
            want[expected_denial(e)] += e["count"]
    template = expected[0]
    got = Counter()
    for d in denials:
        match = [e for e in expected if e["logged"] and published_denial(d, e) == expected_denial(e)]
        assert match, f"unexpected denial {d}; expected {expected}"
        got[expected_denial(match[0])] += d["count"]
        pids = {e["pid"] for e in match if "pid" in e}
        if pids and "pid" in d.get("subject", {}):
            assert d["subject"]["pid"] in pids, f"{d['subject']} is none of {pids}"
            assert "audit" not in d["origin"] or d["syscall"]["name"], d
    assert got == want, f"got {got}, want {want} ({template})"
    total = sum(e["count"] for e in expected)
    seen = sum(want.values())
    assert domain["denials"]["kernel"] == total, f"the kernel counts {domain['denials']}, the program {total}"
    assert domain["denials"]["seen"] == seen, f"seen {domain['denials']}, logged {seen}"
    assert domain["denials"].get("unseen", 0) == total - seen


def test_kind(kind, *options):
    def test():
        # By audit alone: the tests in virtual machines see both sources at work.
        with Daemon("Trace=no\nBpf=no\n", bus=False) as daemon:
            client = daemon.client()
            (truth,) = sandbox(*options, kind)
            creators = {e["creator"] for e in truth["expected"]}
            n = len({(e["creator"], e["domain"]) for e in truth["expected"] if e["logged"]})
            events = client.until_freed(creators, n)
            if n == 0:
                # Nothing is logged, so nothing may be published of it: a later domain's end shows that all is through.
                (other,) = sandbox("fs.write_file")
                events = client.until_freed({other["pid"]}, 1)
                assert not [e for e in events if e.get("creator", {}).get("pid") in creators]
            check(truth, events)
            counters = client.ask(op="status")[0]["counters"]
            for name in ("audit_malformed", "audit_overflows", "audit_events_missing", "facts_dropped"):
                assert counters.get(name, 0) == 0, f"{name} is {counters[name]}"

    return test


def test_corpus(name):
    """The same of records that another kernel wrote."""
    def test():
        with open(f"{SRCDIR}/tests/data/{name}.txt") as f:
            log = re.sub(r"^(\d+) ", r"type=UNKNOWN[\1] msg=", f.read(), flags=re.M)
        with open(f"{SRCDIR}/tests/data/{name}.truth.jsonl") as f:
            truths = [json.loads(line) for line in f]
        replay = subprocess.run([LANDLOCKCTL, "replay", "-"], input=log, capture_output=True, text=True, check=True)
        events = [json.loads(line) for line in replay.stdout.splitlines()]
        for event in events:
            VALIDATOR.validate(event)
        for truth in truths:
            check(truth, events)

    return test


kinds = subprocess.run([SANDBOX, "--list"], capture_output=True, text=True, check=True)
tests = [(f"denial of {kind}", test_kind(kind)) for kind in kinds.stdout.split()]
tests += [
    ("denials by eight threads at once", test_kind("fs.write_file", "--threads=8", "--count=50")),
    ("denials on record of kernel 6.18", test_corpus("audit-6.18-all-kinds")),
    ("denials on record of kernel 7.3.4", test_corpus("audit-7.3.4-all-kinds")),
    ("the same denial a thousand times", test_kind("fs.write_file", "--count=1000")),
]

if __name__ == "__main__":
    run(tests)
