#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program says of each packet capture what it always said: to the byte, in any time zone, from a pipe and from
# standard input too; a broken one up to the damage, with exit code 1. No payload is ever printed.
#
#   tests/golden/captures/check.sh build/stalesock
set -euo pipefail

stalesock=$1
folder=$(dirname "$0")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	echo "check.sh: $*" >&2
	exit 1
}

replay() {
	"$stalesock" replay --json "$@" 2>"$scratch/errors"
}

# check_exit CODE FILE
check_exit() {
	local code=0
	replay "$2" >"$scratch/output" || code=$?
	[ "$code" = "$1" ] || fail "$2: exit code $code: $(cat "$scratch/errors")"
}

for capture in "$folder"/*.pcap; do
	expected=${capture%.pcap}.jsonl
	replay "$capture" | cmp - "$expected"
	TZ=Pacific/Chatham replay - <"$capture" | cmp - "$expected"
	replay /dev/stdin < <(cat "$capture") | cmp - "$expected"
	"$stalesock" replay "$capture" >"$scratch/text" 2>&1
	! grep -q 'localhost\|Content-Length' "$scratch/text" "$expected" || fail "$capture: payload"

	size=$(stat -c %s "$capture")
	head -c $((size - 3)) "$capture" >"$scratch/cut"
	check_exit 1 "$scratch/cut"
	grep -q "is damaged at byte [0-9]*: truncated" \
		"$scratch/errors" || fail "$capture, cut: $(cat "$scratch/errors")"
	[ -s "$scratch/output" ] || fail "$capture, cut: nothing was replayed"
done
[ -n "${expected:-}" ] || fail "there are no captures"

# The header alone is an empty capture; with another link type it is one that cannot be read.
head -c 24 "$capture" >"$scratch/empty"
check_exit 0 "$scratch/empty"
{
	head -c 20 "$capture"
	printf '\x69\0\0\0'
} >"$scratch/wireless"
check_exit 2 "$scratch/wireless"
grep -q 'link type.*IEEE802_11' "$scratch/errors" || fail "$(cat "$scratch/errors")"
