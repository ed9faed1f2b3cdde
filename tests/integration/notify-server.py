#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A notification server for what dunst does not do: it lacks capabilities, and it may have had enough.

notify-server.py LOG ERROR [CAPABILITY...]: writes each call to LOG, a line of JSON, and answers Notify with the error of
that name, or with an ID if the name is empty, or dies of it if that is "exit". ActionInvoked and NotificationClosed are sent
for each line that it reads: "ID ACTION", "ID"."""

import json
import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.Notifications"
log_path, error, *capabilities = sys.argv[1:]


class Refused(dbus.DBusException):
    _dbus_error_name = error


class Server(dbus.service.Object):
    ids = 0

    @dbus.service.method(NAME, in_signature="", out_signature="as")
    def GetCapabilities(self):
        return dbus.Array(capabilities, signature="s")

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        with open(log_path, "a") as f:
            f.write(json.dumps({"app": app, "replaces": replaces, "icon": icon, "summary": summary, "body": body,
                                "actions": actions, "timeout": timeout, "hints": {k: int(v) if isinstance(v, dbus.Byte)
                                                                                  else v for k, v in hints.items()}})
                    + "\n")
        if error == "exit":
            os._exit(1)
        if error:
            raise Refused("no more")
        self.ids += 1
        return replaces or self.ids

    @dbus.service.method(NAME, in_signature="u", out_signature="")
    def CloseNotification(self, id):
        self.NotificationClosed(id, 3)

    @dbus.service.signal(NAME, signature="us")
    def ActionInvoked(self, id, action):
        pass

    @dbus.service.signal(NAME, signature="uu")
    def NotificationClosed(self, id, reason):
        pass


def on_lines(fd, _condition):
    lines = os.read(fd, 4096).decode().splitlines()
    for line in lines:
        id, *action = line.split()
        if action:
            server.ActionInvoked(int(id), action[0])
        else:
            server.NotificationClosed(int(id), 2)
    return bool(lines)


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
server = Server(bus, "/org/freedesktop/Notifications")
name = dbus.service.BusName(NAME, bus)
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN, on_lines)
GLib.MainLoop().run()
