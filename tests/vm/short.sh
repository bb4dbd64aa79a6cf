#!/bin/dash
# SPDX-License-Identifier: Apache-2.0
# What matrix.sh --short runs in a guest: short.sh OPTION..., which are the oracle's. One boot for three steps; a line for
# each when it has ended, and of what failed the end of its output. All of it is in /results.
failed=0

# step NAME COMMAND...
step() {
	name=$1 started=$(date +%s)
	shift
	if "$@" >"/results/$name.log" 2>&1; then
		result=ok
		grep -A 3 '^tried again: ' "/results/$name.log" # nothing is tried again in silence
	else
		result="FAILED (exit $?)"
		tail -n 60 "/results/$name.log"
		failed=1
	fi
	printf '%-8s %4d s  %s\n' "$name" $(($(date +%s) - started)) "$result"
}

# shellcheck disable=SC2317 # it is called by step
examine() {
	build/stalesock doctor --json >/results/doctor.json
}

sha256sum <build/stalesock >/results/sha256
step doctor examine
step runtime build/tests/runtime/stalesock-runtime-tests '[guest]'
step oracle build/tests/oracle/stalesock-oracle "$@"
exit "$failed"
