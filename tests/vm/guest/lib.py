# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in tests.d that are written in Python share: what the tests on the build machine use, here on the
installed service."""

import json
import os
import platform
import subprocess
import sys

SOURCE = "/usr/src/landlockd"
SOCKET = "/run/landlockd/telemetry.sock"
SERVICE = "landlockd.service"

# An emulated machine is slow, and more so under load.
os.environ.update(BUILDDIR=SOURCE, SRCDIR=SOURCE, PATIENCE="120")
sys.path.insert(0, f"{SOURCE}/tests/integration")


def landlockctl(*arguments):
    return json.loads(subprocess.check_output(["landlockctl", "--json=short", *arguments]))


def kernel_is(profile):
    """Whether this VM runs that kernel."""
    return platform.release().startswith(profile + ".")


class Configured:
    """The service with these settings: `with Configured("Bpf=no"): …`"""

    PATH = "/etc/landlockd/landlockd.conf.d/test.conf"

    def __init__(self, *settings):
        self.settings = settings

    def __enter__(self):
        os.makedirs(os.path.dirname(self.PATH), exist_ok=True)
        with open(self.PATH, "w") as f:
            f.write("\n".join(["[Landlockd]", *self.settings, ""]))
        subprocess.run(["systemctl", "restart", SERVICE], check=True)

    def __exit__(self, *_):
        os.unlink(self.PATH)
        subprocess.run(["systemctl", "restart", SERVICE], check=True)
