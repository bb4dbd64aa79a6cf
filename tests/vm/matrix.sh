#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is built, on other kernels: every program through their verifiers, the runtime suite, and the oracle
# with every class of hooks they offer.
#
#   tests/vm/matrix.sh [VERSION...]     by default 6.1 and 6.12
#   tests/vm/matrix.sh host             this kernel's own rows for tests/vm/kernels_table.py, no guest
#
# Logs of each step are in build/vm-logs/VERSION-STEP; a hang, a panic and a failed test have their own exit
# codes there (tests/vm/README.md).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
readonly seed=${STALESOCK_ORACLE_SEED:-1}

# step VERSION NAME COMMAND...: one guest.
step() {
	local version=$1 name=$2 started=$SECONDS code
	shift 2
	tests/vm/run.sh "$version" --logs "build/vm-logs/$version-$name" --files tests/support -- "$@"
	code=$?
	[ "$code" -eq 0 ] || failed=1
	summary+=$(printf '%-5s %-20s %4d s  %s' "$version" "$name" $((SECONDS - started)) \
		"$(cat "build/vm-logs/$version-$name/outcome" 2>/dev/null || echo "exit $code")")$'\n'
}

# Every program is loaded and attached by itself; what the verifier said to a refusal is in the output.
step_doctor() {
	# shellcheck disable=SC2016 # for the guest
	step "$1" doctor sh -c 'build/stalesock doctor && build/stalesock doctor --json >/results/doctor.json'
	tests/vm/check_doctor.py "$1" "build/vm-logs/$1-doctor/doctor.json" || failed=1
}

# step_oracle VERSION CLASS OPTION...: an emulated machine is slow, so fewer connections at a time, and more
# that timing leaves undecided.
step_oracle() {
	local version=$1 class=$2
	shift 2
	step "$version" "oracle-$class" env STALESOCK_HOOKS="$class" STALESOCK=tests/support/with-hooks.sh \
		build/tests/oracle/stalesock-oracle --seed "$seed" --jobs 40 --most-unscored 5 "$@"
}

# The oracle on the running kernel, in the classes it has.
host_results() {
	local kernel class
	kernel=$(uname -r | cut -d. -f1,2)
	mkdir -p "build/vm-logs/$kernel-doctor"
	build/stalesock doctor --json >"build/vm-logs/$kernel-doctor/doctor.json" || return
	for class in automatic none; do
		mkdir -p "build/vm-logs/$kernel-oracle-$class"
		STALESOCK_HOOKS=$class STALESOCK=tests/support/with-hooks.sh \
			build/tests/oracle/stalesock-oracle --seed "$seed" $([ $class = none ] && echo --weak) \
			>"build/vm-logs/$kernel-oracle-$class/output.log" || return
	done
}

if [ "${1:-}" = host ]; then
	host_results
	exit
fi
versions=("$@")
[ $# -gt 0 ] || versions=(6.1 6.12)
failed=0
summary=""
for version in "${versions[@]}"; do
	step_doctor "$version"
	step "$version" runtime build/tests/runtime/stalesock-runtime-tests
	step_oracle "$version" automatic
	step_oracle "$version" trampoline
	[ "$version" = 6.1 ] || step_oracle "$version" tracepoint --weak # it has no tracepoint before a send
	step_oracle "$version" none --weak
done
[ "$failed" -ne 0 ] || tests/vm/kernels_table.py --check README.md "${versions[@]}" || failed=1
printf '\n%s' "$summary"
exit "$failed"
