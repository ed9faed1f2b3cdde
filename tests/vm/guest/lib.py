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

os.environ.update(BUILDDIR=SOURCE, SRCDIR=SOURCE)
sys.path.insert(0, f"{SOURCE}/tests/integration")


def landlockctl(*arguments):
    return json.loads(subprocess.check_output(["landlockctl", "--json=short", *arguments]))


def kernel_is(profile):
    """Whether this VM runs that kernel."""
    return platform.release().startswith(profile + ".")
