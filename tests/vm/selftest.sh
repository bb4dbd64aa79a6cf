#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests run.sh itself: every way a guest can end has its own exit code, and nothing is left behind.
#
#   tests/vm/selftest.sh [VERSION...]   by default 6.1 and 6.12; newest, 6.1-arm64 and 6.12-arm64 too
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.." || exit 1

fail() {
	echo "FAILED: $*"
	failed=1
}

# run CODE OPTION... -- COMMAND...: what the guest printed is in $printed, what run.sh said in $said.
run() {
	local expected=$1 code
	shift
	echo "--- $version: $*"
	tests/vm/run.sh "$version" --logs "$logs" "$@" >"$scratch/printed" 2>"$scratch/said"
	code=$?
	[ "$code" -eq "$expected" ] || {
		fail "exit code $code, expected $expected"
		cat "$scratch/printed" "$scratch/said"
	}
}

printed_line() {
	grep -Eqx "$1" "$scratch/printed" || fail "no line '$1' in: $(cat "$scratch/printed")"
}

kept() {
	grep -Eqs "$2" "$logs/$1" || fail "no '$2' in $1"
}

case_command() {
	run 0 -- true
	run 7 -- sh -c 'exit 7'
	kept outcome '^exit 7$'
	run 127 -- no-such-program
	# A number of the lab's own: the outcome file tells.
	run 203 -- sh -c 'exit 203'
	kept outcome '^exit 203$'
}

case_guest() {
	# shellcheck disable=SC2016 # for the guest
	run 0 --files tests/vm/modules.txt -- sh -c 'uname -r; ip -br link show lo; printf "%s|" "$@"; echo
		pwd; echo "$STALESOCK"; ls packaging/schema tests/vm; test ! -t 1 && echo "no terminal"
		python3 -c "import jsonschema" && echo "has jsonschema"; test -c /dev/net/tun && echo "has tun"
		ip link add name one type veth peer name two && ip link del one && echo "has veth"' sh "it's" '$HOME  "x"' ''
	local architecture=amd64 series=${version%-arm64}
	[[ $version != *-arm64 ]] || architecture=arm64
	[ "$series" != newest ] || series='[0-9]+'
	printed_line "$series\.[0-9].*-cloud-$architecture"
	printed_line 'lo +UNKNOWN .*UP.*'
	printed_line "it's\|\\\$HOME  \"x\"\|\|"
	printed_line /stalesock
	printed_line /stalesock/build/stalesock
	printed_line verdict.schema.json
	printed_line modules.txt
	printed_line 'no terminal'
	printed_line 'has jsonschema'
	printed_line 'has tun'
	printed_line 'has veth'
}

case_results() {
	run 3 -- sh -c 'mkdir /results/deep; seq 200000 >/results/deep/numbers; exit 3'
	kept deep/numbers '^200000$'
	kept dmesg.txt 'Linux version'
	[ "$(wc -l <"$logs/deep/numbers")" -eq 200000 ] || fail "the results are incomplete"
	run 0 -- seq 100000
	[ "$(wc -l <"$scratch/printed")" -eq 100000 ] || fail "the output is incomplete"
	[ ! -e "$logs/deep" ] || fail "the results of an earlier run are still there"
}

case_panic() {
	run 203 -- sh -c 'echo before; echo c >/proc/sysrq-trigger; sleep 60'
	printed_line before
	kept outcome '^kernel panic'
	kept console.log 'Kernel panic'
}

case_hang() {
	run 204 --timeout 5 -- sh -c 'echo before; touch /results/partial; sleep infinity'
	printed_line before
	kept outcome '^hang: the command'
	kept hang.txt 'sleep infinity'
	[ -e "$logs/partial" ] || fail "the results of a hang are lost"
}

# The guest's own watch over the command is stopped: only the host's remains.
case_dead_guest() {
	# shellcheck disable=SC2016 # for the guest
	run 204 --timeout 1 --grace 15 -- sh -c 'kill -STOP $(pidof init); sleep infinity'
	kept outcome '^hang: the guest'
	run 205 -- reboot -f
}

case_no_init() {
	run 202 --append rdinit=/missing -- true
	run 202 --boot-timeout 0 -- true
}

case_setup() {
	run 201 --files /no/such/file -- true
	run 201 --no-such-option x -- true
}

guest_of() {
	local child children
	read -ra children <"/proc/$1/task/$1/children"
	for child in "${children[@]}"; do
		! grep -qs '^qemu' "/proc/$child/comm" || echo "$child"
	done
}

# An interrupt from a terminal or a CI's kill.
case_interrupt() {
	local signal=$1 expected=$2 runner guest
	echo "--- $version: SIG$signal"
	env --default-signal="$signal" tests/vm/run.sh "$version" --logs "$logs" -- sh -c 'echo ready; sleep infinity' \
		>"$scratch/printed" 2>"$scratch/said" &
	runner=$!
	for _ in $(seq 1200); do
		grep -q ready "$scratch/printed" && break
		sleep 0.5
	done
	guest=$(guest_of "$runner")
	[ -n "$guest" ] || fail "no qemu is running"
	kill "-$signal" "$runner"
	wait "$runner"
	[ $? -eq "$expected" ] || fail "exit code is not $expected"
	[ -z "$guest" ] || ! kill -0 "$guest" 2>/dev/null || fail "qemu $guest is still running"
}

nothing_left() {
	[ -z "$(find "$scratch" -name '.run.*')" ] || fail "left behind: $(find "$scratch" -name '.run.*')"
}

versions=("$@")
[ $# -gt 0 ] || versions=(6.1 6.12)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
for version in "${versions[@]}"; do
	logs=$scratch/logs-$version
	case_setup
	case_command
	case_guest
	case_results
	case_panic
	case_hang
	case_dead_guest
	case_no_init
	case_interrupt INT 130
	case_interrupt TERM 143
	nothing_left
done
[ "$failed" -eq 0 ] && echo "all as expected"
exit "$failed"
