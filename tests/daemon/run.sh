#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The daemon with a journald of its own, in private mount, UTS and network namespaces. Needs root.
#
#   tests/daemon/run.sh            every case
#   tests/daemon/run.sh NAME...    only these
#   tests/daemon/run.sh --list     their names
#
# STALESOCK is the program under test, by default build/stalesock of this source tree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${STALESOCK:=$here/../../build/stalesock}"
export STALESOCK
exec "$here/../support/defined-environment.sh" \
	unshare --mount --uts --net --propagation private -- /usr/bin/python3 -B "$here/cases.py" "$@"
