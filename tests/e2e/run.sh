#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real servers and clients, each case in its own network namespace, watched by the real program and by tcpdump.
# Needs root.
#
#   tests/e2e/run.sh            every case, then whether README's table says the same (table.py --write makes it anew)
#   tests/e2e/run.sh NAME...    only these, by name or by group
#   tests/e2e/run.sh --list     their names
#
# STALESOCK is the program under test, by default build/stalesock of this source tree. STALESOCK_E2E_RESULTS is
# the folder that the rows of README's table are left in, by default build/e2e-results; STALESOCK_E2E_PROGRAMS that of
# the compiled programs, by default build/e2e-programs; STALESOCK_E2E_JOBS is how many cases run at once, by default 2.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${STALESOCK:=$here/../../build/stalesock}"
: "${STALESOCK_E2E_RESULTS:=$here/../../build/e2e-results}"
: "${STALESOCK_E2E_PROGRAMS:=$here/../../build/e2e-programs}"
export STALESOCK STALESOCK_E2E_RESULTS STALESOCK_E2E_PROGRAMS
if [ $# -ne 0 ]; then
	exec "$here/../support/defined-environment.sh" /usr/bin/python3 -B "$here/main.py" "$@"
fi
rm -rf "$STALESOCK_E2E_RESULTS"
"$here/../support/defined-environment.sh" /usr/bin/python3 -B "$here/main.py"
exec /usr/bin/python3 -B "$here/table.py" --check "$here/../../README.md"
