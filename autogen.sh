#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes ./configure. Needed once after a checkout; a release tarball has it already.

set -eu
cd "$(dirname "$0")"
if ! command -v autoreconf >/dev/null; then
        echo "autogen.sh: autoreconf is missing: install autoconf and automake." >&2
        exit 1
fi
exec autoreconf --force --install
