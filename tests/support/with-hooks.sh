#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# stalesock with a class of hooks forced: STALESOCK=tests/support/with-hooks.sh STALESOCK_HOOKS=none ...
# What takes no --hooks runs as it is. STALESOCK_PROGRAM is the program, by default build/stalesock.
set -eu
program=${STALESOCK_PROGRAM:-$(cd "$(dirname "$0")/../.." && pwd)/build/stalesock}
case ${1:-} in
watch | record | doctor)
	command=$1
	shift
	exec "$program" "$command" --hooks "${STALESOCK_HOOKS:?}" "$@"
	;;
esac
exec "$program" "$@"
