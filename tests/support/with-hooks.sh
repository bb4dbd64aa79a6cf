#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stalesock with a class of hooks forced: STALESOCK=tests/support/with-hooks.sh STALESOCK_HOOKS=none ...
# What is not a watch runs as it is. STALESOCK_PROGRAM is the program, by default build/stalesock.
set -eu
program=${STALESOCK_PROGRAM:-$(cd "$(dirname "$0")/../.." && pwd)/build/stalesock}
if [ "${1:-}" = watch ]; then
	shift
	exec "$program" watch --hooks "${STALESOCK_HOOKS:?}" "$@"
fi
exec "$program" "$@"
