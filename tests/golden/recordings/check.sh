#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The program replays each recording as it always did: to the byte, twice, in any time zone, from a pipe too; a
# broken one up to the damage, with exit code 1.
#
#   tests/golden/recordings/check.sh build/stalesock
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
	"$stalesock" replay --json --events "$@" 2>"$scratch/errors"
}

for recording in "$folder"/*.stalesock; do
	expected=${recording%.stalesock}.jsonl
	replay "$recording" | cmp - "$expected"
	TZ=Pacific/Chatham replay "$recording" | cmp - "$expected"
	replay /dev/stdin < <(cat "$recording") | cmp - "$expected"

	size=$(stat -c %s "$recording")
	head -c $((size / 2)) "$recording" >"$scratch/cut"
	code=0
	replay "$scratch/cut" >"$scratch/output" || code=$?
	[ "$code" = 1 ] || fail "$recording, cut: exit code $code"
	grep -q "is damaged at byte $((size / 2))" "$scratch/errors" || fail "$recording, cut: not said"
	[ -s "$scratch/output" ] || fail "$recording, cut: nothing was replayed"
done
[ -n "${expected:-}" ] || fail "there are no recordings"

for path in /dev/null "$0" "$folder" /nonexistent; do
	code=0
	replay "$path" >"$scratch/output" || code=$?
	[ "$code" = 2 ] || fail "$path: exit code $code"
	[ ! -s "$scratch/output" ] || fail "$path: output"
	[ "$(wc -l <"$scratch/errors")" = 1 ] || fail "$path: $(cat "$scratch/errors")"
done

# A reader that has gone is no failure; a full disk is.
replay "$recording" | true
code=0
replay "$recording" >/dev/full || code=$?
[ "$code" = 1 ] || fail "full disk: exit code $code"
