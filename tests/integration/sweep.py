#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that whoever runs this is told by landlockd on a bus: every object, every property, and every method that
introspection shows, with all arguments that might matter. Writes JSON: a list of [what was asked, what was answered].

    sweep.py BUS-ADDRESS NUMBER…    ask about these domains, processes and users"""

import itertools
import json
import os
import sys
import xml.etree.ElementTree as ElementTree

sys.path = [p for p in sys.path if p]  # what is called dbus in the source tree is not the module
import dbus  # noqa: E402

NAME = "io.landlock.Landlockd1"
ROOT = "/io/landlock/Landlockd1"


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dbus.types.UnixFd):
        return "fd"
    return str(value) if isinstance(value, str) else value


class Sweep:
    def __init__(self, address, numbers):
        self.bus = dbus.bus.BusConnection(address)
        self.numbers = numbers
        self.answers = []

    def call(self, path, interface, method, signature, arguments, note=None):
        question = [path, interface, method, note if note is not None else plain(arguments)]
        try:
            answer = self.bus.call_blocking(NAME, path, interface, method, signature, arguments, timeout=60)
            self.answers.append([question, plain(answer)])
            return answer
        except dbus.DBusException as e:
            self.answers.append([question, {"error": e.get_dbus_name(), "message": e.get_dbus_message()}])
            return None

    def options(self):
        yield {}
        for name, values in {
                "domain": [dbus.UInt64(n) for n in self.numbers], "after": [dbus.UInt64(n + 1) for n in self.numbers],
                "since": [dbus.UInt64(1)], "uid": [dbus.UInt32(n) for n in self.numbers if n < 1 << 32],
                "limit": [dbus.UInt32(1)], "state": ["any", "deallocated"], "label": ["@", "sh"],
                "has-denials": [True, False], "subtree": [True], "blockers": [["fs.write_file"]], "domains": [True],
                "denials": [False]}.items():
            for value in values:
                yield {name: value}
        for number in self.numbers:
            yield {"domain": dbus.UInt64(number), "subtree": True}

    def values(self, kind):
        """What is tried for an argument of that type; a descriptor is opened for each call."""
        if kind == "a{sv}":
            return [dbus.Dictionary(o, signature="sv") for o in self.options()]
        if kind == "s":
            return [f"{n:x}" for n in self.numbers]
        if kind in "tu":
            return [n for n in self.numbers if kind == "t" or n < 1 << 32]
        if kind == "h":
            return [n for n in self.numbers if os.path.exists(f"/proc/{n}")]
        raise SystemExit(f"no values for arguments of type {kind}")

    def call_with_all(self, path, interface, method, kinds):
        for values in itertools.product(*(self.values(kind) for kind in kinds)):
            descriptors = [os.pidfd_open(v) if kind == "h" else -1 for kind, v in zip(kinds, values)]
            arguments = [dbus.types.UnixFd(fd) if fd >= 0 else v for fd, v in zip(descriptors, values)]
            self.call(path, interface, method, "".join(kinds), arguments, note=plain(values))
            for fd in descriptors:
                if fd >= 0:
                    os.close(fd)

    def visit(self, path):
        xml = self.call(path, "org.freedesktop.DBus.Introspectable", "Introspect", "", [])
        if xml is None:
            return
        root = ElementTree.fromstring(xml)
        for interface in root.iter("interface"):
            name = interface.get("name")
            self.call(path, "org.freedesktop.DBus.Properties", "GetAll", "s", [name])
            for prop in interface.iter("property"):
                self.call(path, "org.freedesktop.DBus.Properties", "Get", "ss", [name, prop.get("name")])
            if name.startswith(NAME):
                for method in interface.iter("method"):
                    kinds = [a.get("type") for a in method.iter("arg") if a.get("direction") == "in"]
                    self.call_with_all(path, name, method.get("name"), kinds)
        for node in root.findall("node"):
            self.visit(f"{path.rstrip('/')}/{node.get('name')}")

    def run(self):
        self.visit("/")
        self.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", [])
        # Objects that introspection may not show are asked for all the same.
        for number in self.numbers:
            self.visit(f"{ROOT}/domain/_{number:x}")
            self.call(f"{ROOT}/domain/_{number:x}", "org.freedesktop.DBus.Properties", "GetAll", "s", [f"{NAME}.Domain"])
        json.dump(self.answers, sys.stdout)


if __name__ == "__main__":
    Sweep(sys.argv[1], [int(n) for n in sys.argv[2:]]).run()
