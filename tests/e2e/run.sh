#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real servers and clients in a private network namespace, watched by the real program. Needs root.
#
#   tests/e2e/run.sh            every case
#   tests/e2e/run.sh NAME...    only these
#   tests/e2e/run.sh --list     their names
#
# STALESOCK is the program under test, by default build/stalesock of this source tree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${STALESOCK:=$here/../../build/stalesock}"
export STALESOCK
exec unshare --net -- /usr/bin/python3 -B "$here/cases.py" "$@"
