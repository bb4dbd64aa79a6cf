#!/bin/dash
# shellcheck disable=SC2317 # functions are called by step
# SPDX-License-Identifier: Apache-2.0
# What matrix.sh --short runs in a guest: short.sh OPTION..., which are the oracle's. One boot for three steps; a line for
# each when it has ended, and of what failed the end of its output. All of it is in /results.
failed=0
readonly suite=build/tests/runtime/stalesock-runtime-tests

# step NAME COMMAND...
step() {
	name=$1 started=$(date +%s)
	shift
	if "$@" >"/results/$name.log" 2>&1; then
		result=ok
		grep -A 3 '^tried again: ' "/results/$name.log" # nothing is tried again in silence
	else
		result="FAILED (exit $?)"
		grep -A 24 '^[^ ].*: FAILED:' "/results/$name.log" | head -n 100 # what Catch2 says of it
		tail -n 60 "/results/$name.log"
		failed=1
	fi
	printf '%-8s %4d s  %s\n' "$name" $(($(date +%s) - started)) "$result"
}

examine() {
	build/stalesock doctor --json >/results/doctor.json
}

# Of a case that failed, as tests/runtime/main.cpp names it: five times again, alone. It fails if it comes back, or if the
# machine did not stand still at that moment: then nothing but our own code explains it.
try_again() {
	case_name=${1#failed: } still=${1##*; the machine }
	case_name=${case_name%; the machine *}
	chosen=$(printf '%s' "$case_name" | sed 's/[][,\\"*~]/\\&/g')
	came_back=0
	for time in 1 2 3 4 5; do
		"$suite" "$chosen" >"/results/runtime-again-$time.log" 2>&1 || came_back=$((came_back + 1))
	done
	printf 'tried again: "%s"\n  then: the machine %s\n  again: it failed %s of 5 times\n' "$case_name" "$still" "$came_back"
	[ "$came_back" = 0 ] && [ "${still#stood still}" != "$still" ]
}

# The part of the suite that depends on the kernel.
examine_runtime() {
	"$suite" '[guest]' && return
	code=$?
	log=/results/runtime.log
	grep '^failed: ' "$log" >/tmp/failed
	grep -q '^the whole stream: good$' "$log" && [ "$(wc -l </tmp/failed)" -le 3 ] && [ -s /tmp/failed ] || return "$code"
	while read -r line; do
		try_again "$line" </dev/null || result_again=$code
	done </tmp/failed
	return "${result_again:-0}"
}

sha256sum <build/stalesock >/results/sha256
step doctor examine
step runtime examine_runtime
step oracle build/tests/oracle/stalesock-oracle "$@"
exit "$failed"
