#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is built, on other kernels: every program through their verifiers, and the runtime suite and the oracle
# with every class of hooks they offer.
#
#   tests/vm/matrix.sh                       this kernel, 6.1, 6.12, the newest and 5.10; then README's table is checked
#   tests/vm/matrix.sh VERSION|host...       only these
#   tests/vm/matrix.sh arm64                 6.12-arm64 and 6.1-arm64, after packaging/bootstrap.sh arm64
#   tests/vm/matrix.sh --short [VERSION...]  one guest each, by default of 6.1, 6.12 and the newest: doctor, the part
#                                            of the runtime suite that depends on the kernel, and a small oracle
#
# STALESOCK_VM_JOBS guests run at once, by default 2. Logs of each step are in build/vm-logs/VERSION-STEP; a
# hang, a panic and a failed test have their own exit codes there (tests/vm/README.md).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
readonly logs=build/vm-logs
readonly seed=${STALESOCK_ORACLE_SEED:-1}

# "STEP CLASS", the long ones first. Where the automatic choice is a class, that is not run twice.
steps_of() {
	case $1 in
	6.1) printf '%s\n' "runtime automatic" "runtime none" "oracle automatic" "oracle trampoline" "oracle none" ;;
	6.12) printf '%s\n' "runtime automatic" "runtime tracepoint" "runtime trampoline" "runtime none" \
		"oracle automatic" "oracle tracepoint" "oracle trampoline" "oracle none" ;;
	newest) printf '%s\n' "runtime automatic" "runtime trampoline" "runtime none" \
		"oracle automatic" "oracle trampoline" "oracle none" ;;
	5.10)
		echo "refusal automatic"
		return
		;;
	6.12-arm64 | 6.1-arm64) printf '%s\n' "runtime automatic" "oracle automatic" ;;
	*)
		echo "matrix.sh: no kernel $1" >&2
		return 1
		;;
	esac
	echo "doctor automatic"
}

# Hooks that do not see a write before it is queued.
is_weak() {
	case $1-$2 in
	6.12-tracepoint | 6.1-arm64-automatic | *-none) ;;
	*) false ;;
	esac
}

# Reasons for skips of the runtime suite, separated by ';'.
expected_skips() {
	[[ $2 == automatic ]] || echo -n "the class of hooks is forced;"
	! is_weak "$1" "$2" || echo -n "no hook sees a send begin;"
	[[ $2 != none && $1 != 6.1-arm64 ]] ||
		echo -n "the name of a writer cannot be seen;the writer cannot be seen"
}

# The oracle's options: an emulated machine is slow, so fewer connections at a time. On 7.3 tracepoints can be preempted, and
# the kernel then skips a program that another process has running on that CPU. Where it stood still, what
# time decides is left open; how many stale reuses and races there must be to score, the oracle says itself.
oracle_options() {
	echo --seed "$seed" --jobs 25 --most-unscored 50
	! is_weak "$1" "$2" || echo --weak
	[[ $1 != *-arm64 && $1 != newest ]] || echo --connections 300
	[[ $1 != newest ]] || echo --skips
}

# The doctor's report is of what is built here, and says what it must.
check_report() {
	local program=build/stalesock
	[[ $1 != *-arm64 ]] || program=build-arm64/stalesock
	sha256sum <$program | cmp - "$2/sha256" || return
	tests/vm/check_doctor.py "$1" "$2/doctor.json"
}

# Every program is loaded and attached by itself; what the verifier said to a refusal is in doctor.json.
run_doctor() {
	# shellcheck disable=SC2016 # for the guest
	tests/vm/run.sh "$1" --logs "$2" -- sh -c 'sha256sum <build/stalesock >/results/sha256
		build/stalesock doctor && build/stalesock doctor --json >/results/doctor.json' || return
	check_report "$1" "$2"
}

# A kernel that is too old: whatever is asked for says so in the same line, once, and nothing else.
run_refusal() {
	local name
	# shellcheck disable=SC2016 # for the guest
	tests/vm/run.sh "$1" --logs "$2" -- sh -c 'for arguments in doctor "doctor --json" watch list; do
			build/stalesock $arguments >"/results/$arguments" 2>&1
			code=$?
			[ "$code" -eq 3 ] || { echo "stalesock $arguments: exit code $code"; exit 1; }
		done' || return
	for name in doctor "doctor --json" watch list; do
		if [ "$(grep -c 'this kernel is too old: stalesock needs Linux' "$2/$name")" -ne 1 ] ||
			grep -q 'refused\|EINVAL' "$2/$name"; then
			echo "stalesock $name says:"
			cat "$2/$name"
			return 1
		fi
	done
}

# One guest for everything. Only lines of steps are printed.
run_short() {
	local code=0
	local options=(--seed "$seed" --jobs 25 --most-unscored 50 --connections 200)
	[ "$1" != newest ] || options+=(--skips)
	run_suite "$1" "$2" automatic tests/vm/short.sh "${options[@]}" || code=$?
	[ ! -e "$2/doctor.json" ] || check_report "$1" "$2" || code=1
	return "$code"
}

# run_suite VERSION LOGS CLASS COMMAND...
run_suite() {
	local version=$1 kept=$2 class=$3 forced=()
	shift 3
	[ "$class" = automatic ] || forced=("STALESOCK_HOOKS=$class" STALESOCK=tests/support/with-hooks.sh)
	tests/vm/run.sh "$version" --logs "$kept" --files tests/support --files tests/vm/short.sh -- \
		env "STALESOCK_EXPECTED_SKIPS=$(expected_skips "$version" "$class")" ${forced[@]+"${forced[@]}"} "$@"
}

# start_step VERSION STEP CLASS NAME
start_step() {
	local version=$1 step=$2 class=$3 name=$4 options
	case $step in
	doctor) run_doctor "$version" "$logs/$name" ;;
	refusal) run_refusal "$version" "$logs/$name" ;;
	short) run_short "$version" "$logs/$name" ;;
	runtime) run_suite "$version" "$logs/$name" "$class" build/tests/runtime/stalesock-runtime-tests ;;
	oracle)
		mapfile -t options < <(oracle_options "$version" "$class" | tr ' ' '\n')
		run_suite "$version" "$logs/$name" "$class" build/tests/oracle/stalesock-oracle "${options[@]}"
		;;
	esac
}

never_started() {
	grep -qs '^the guest never got as far' "$logs/$1/outcome"
}

# run_step VERSION STEP CLASS: one guest. Quiet until it has ended. A guest that did not come as far as our
# command has not tried anything of ours (an emulated machine's timers make a kernel panic while it boots now
# and then): it gets one more boot, and that is said.
run_step() {
	local version=$1 step=$2 class=$3 name=$1-$2 started=$SECONDS printed code=0 note=""
	[[ $step =~ ^(doctor|refusal|short)$ ]] || name+=-$class
	printed=$(mktemp)
	start_step "$version" "$step" "$class" "$name" >"$printed" 2>&1 || code=$?
	if [ "$code" -ne 0 ] && never_started "$name"; then
		note=" (second boot; the first: $(cat "$logs/$name/outcome"))"
		code=0
		start_step "$version" "$step" "$class" "$name" >"$printed" 2>&1 || code=$?
	fi
	if [ "$code" -ne 0 ]; then
		tail -n 60 "$printed"
	elif [ "$step" = short ]; then
		sed "s/^/$version  /" "$printed"
	fi
	rm "$printed"
	printf '%-28s %4d s  %s\n' "$name" $((SECONDS - started)) \
		"$([ "$code" -eq 0 ] && echo ok || echo "FAILED ($(cat "$logs/$name/outcome" 2>/dev/null), $logs/$name)")$note"
	return "$code"
}

# The oracle on the running kernel, in the classes it has.
host_results() {
	local kernel class options
	kernel=$(uname -r | cut -d. -f1,2)
	rm -rf "$logs/$kernel"-{doctor,oracle-*}
	mkdir -p "$logs/$kernel-doctor"
	build/stalesock doctor --json >"$logs/$kernel-doctor/doctor.json" || return
	for class in automatic tracepoint trampoline none; do
		build/stalesock doctor --hooks "$class" >/dev/null || continue
		[ "$class" != "$(build/stalesock doctor | sed -n 's/^class *//p')" ] || continue
		options=(--seed "$seed" --most-unscored 4)
		[ "$class" != none ] || options+=(--weak)
		mkdir -p "$logs/$kernel-oracle-$class"
		STALESOCK_HOOKS=$class STALESOCK=tests/support/with-hooks.sh \
			build/tests/oracle/stalesock-oracle "${options[@]}" >"$logs/$kernel-oracle-$class/output.log" || {
			tail -n 60 "$logs/$kernel-oracle-$class/output.log"
			return 1
		}
		echo "$kernel (host) oracle $class: ok"
	done
}

if [ "${1:-}" = --step ]; then
	shift
	run_step "$@"
	exit
fi
if [ "${1:-}" = --short ]; then
	shift
	[ $# -gt 0 ] || set -- 6.1 6.12 newest
	for version in "$@"; do
		rm -rf "$logs/$version-short"
	done
	printf -- '--step %s short automatic\n' "$@" | xargs -P "${STALESOCK_VM_JOBS:-2}" -L 1 tests/vm/matrix.sh || exit 1
	exit
fi
versions=("$@")
kernels=() # whose rows are checked
[ $# -gt 0 ] || versions=(host 6.1 6.12 newest 5.10)
[ "${versions[*]}" != arm64 ] || versions=(6.12-arm64 6.1-arm64)
failed=0
queue=""
for version in "${versions[@]}"; do
	if [ "$version" = host ]; then
		host_results || failed=1
		kernel=$(uname -r | cut -d. -f1,2)
		if grep -q "^| $kernel |" README.md; then
			kernels+=("$kernel")
		else
			echo "README has no rows for this kernel ($kernel)"
		fi
		continue
	fi
	rm -rf "$logs/$version"-{doctor,refusal,runtime,oracle}*
	steps=$(steps_of "$version") || exit 1
	[[ $steps == refusal* ]] || kernels+=("$version")
	while read -r step; do
		queue+="--step $version $step"$'\n'
	done <<<"$steps"
done
xargs -r -P "${STALESOCK_VM_JOBS:-2}" -L 1 tests/vm/matrix.sh <<<"$queue" || failed=1
[ "$failed" -ne 0 ] || [ "${#kernels[@]}" -eq 0 ] || tests/vm/kernels_table.py --check README.md "${kernels[@]}" || failed=1
exit "$failed"
