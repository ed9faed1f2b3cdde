# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tests in tests.d share. A test passes with 0, is skipped by skip, and fails with anything else.

set -euo pipefail

# shellcheck disable=SC2034
lifecycle=/usr/src/landlockd/lifecycle

skip() {
        echo "$*"
        exit 77
}

fail() {
        echo "failed: $*" >&2
        exit 1
}

# wait_until SECONDS COMMAND...: for what is true soon but not at once.
wait_until() {
        local end=$((SECONDS + $1))

        shift
        until "$@"; do
                ((SECONDS < end)) || return 1
                sleep 0.2
        done
}

# kernel_is PROFILE: whether this VM runs that kernel.
kernel_is() {
        [[ $(uname -r) == "$1".* ]]
}
