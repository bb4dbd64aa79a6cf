#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every gate, in order of cost. Exits non-zero when one failed.
#
#   tests/run.sh                 all layers
#   tests/run.sh unit runtime    only these
#
# A layer that cannot run says why and exits with 77. That is a failure too, unless the layer is named
# in STALESOCK_ALLOW_SKIP, a list separated by spaces.
set -uo pipefail

# Debian's own tools first, whatever else is installed.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
cd "$(dirname "$0")/.." || exit 1

export STALESOCK=$PWD/build/stalesock
# The last two run in emulated machines, for several minutes each.
readonly all_layers=(build format tidy unit asan runtime daemon terminal oracle e2e package guest vm)
readonly skip_code=77
readonly logs=build/test-logs
readonly excerpt_lines=60

skip() {
	echo "skipped: $*"
	return "$skip_code"
}

run_binary() {
	[ -x "$1" ] || { skip "there is no $1"; return; }
	"$@"
}

layer_build() {
	packaging/bootstrap.sh tests
}

layer_format() {
	find bpf include user tests \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print0 |
		xargs -0 clang-format --dry-run -Werror
}

layer_tidy() {
	run-clang-tidy -p build -j2 -quiet '/user/[a-z]+/[a-z0-9_]+\.cpp$'
}

layer_unit() {
	ctest --preset release -j2
}

layer_asan() {
	CC=${CC:-/usr/bin/gcc-12} CXX=${CXX:-/usr/bin/g++-12} cmake --preset asan --log-level=WARNING -DSTALESOCK_WERROR=ON &&
		cmake --build --preset asan --target stalesock-unit-tests &&
		run_binary build-asan/tests/unit/stalesock-unit-tests
}

layer_runtime() {
	STALESOCK_EXPECTED_SKIPS="this kernel has no TLS" run_binary build/tests/runtime/stalesock-runtime-tests
}

layer_daemon() {
	run_binary tests/daemon/run.sh
}

layer_terminal() {
	run_binary tests/terminal/run.sh
}

# One seed, so that a failure can be seen again; without --seed each run has its own. A busy machine makes more
# retransmissions on loopback, each of which leaves something open: 1 % on a quiet one, 2 % at times.
layer_oracle() {
	run_binary build/tests/oracle/stalesock-oracle --seed "${STALESOCK_ORACLE_SEED:-1}" --most-unscored 4
}

# Three times in a row: chance must not be what passes.
layer_e2e() {
	for _ in 1 2 3; do
		run_binary tests/e2e/run.sh || return
	done
}

# The unit's hardening, and a package that lintian has nothing to say about.
layer_package() {
	systemd-analyze security --offline=yes --threshold=16 packaging/systemd/stalesock.service | tail -n 1 &&
		packaging/deb/build.sh
}

# The package under a real systemd, on two kernels, emulated.
layer_guest() {
	tests/guest/run.sh
}

# Other kernels, emulated: two at once.
layer_vm() {
	tests/vm/matrix.sh
}

may_skip() {
	[[ " ${STALESOCK_ALLOW_SKIP:-} " == *" $1 "* ]]
}

# A long run's output is often kept from its end only: what failed is told again there.
tell_again() {
	printf '\n--- the end of %s\n' "$1"
	tail -n "$excerpt_lines" "$1"
}

# Runs one layer and leaves "ok", "FAILED ..." or "skipped: why" in $result.
run_layer() {
	local name=$1 log=$logs/$1.log code
	echo "=== $name"
	"layer_$name" 2>&1 | tee "$log"
	code=${PIPESTATUS[0]}
	case $code in
	0) result=ok ;;
	"$skip_code")
		result=$(grep -i '^skipped' "$log" | tail -n 1)
		may_skip "$name" || { result="FAILED (${result:-skipped without a reason})"; failed=1; }
		;;
	*)
		result="FAILED (exit code $code, $log)"
		failed=1
		;;
	esac
	[[ $result != FAILED* ]] || failed_logs+=("$log")
}

[ "$(id -u)" -eq 0 ] || { echo "tests/run.sh: must run as root" >&2; exit 1; }
layers=("$@")
[ $# -gt 0 ] || layers=("${all_layers[@]}")
for name in "${layers[@]}"; do
	declare -F "layer_$name" >/dev/null ||
		{ echo "tests/run.sh: no layer '$name'; there are: ${all_layers[*]}" >&2; exit 2; }
done
# All but the format check need a build.
[[ " ${layers[*]} " == *" build "* || "${layers[*]}" == format ]] || layers=(build "${layers[@]}")

mkdir -p "$logs"
failed=0
failed_logs=()
built=yes
summary=""
for name in "${layers[@]}"; do
	started=$SECONDS
	if [[ $built == no && $name != format ]]; then
		result="not run: the build failed"
	else
		run_layer "$name"
		[[ $name == build && $result != ok ]] && built=no
	fi
	summary+=$(printf '%-10s %5d s  %s' "$name" $((SECONDS - started)) "$result")$'\n'
done
for log in ${failed_logs[@]+"${failed_logs[@]}"}; do
	tell_again "$log"
done
printf '\n%s' "$summary"
exit "$failed"
