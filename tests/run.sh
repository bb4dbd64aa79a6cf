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
readonly all_layers=(build format tidy unit asan runtime oracle e2e)
readonly skip_code=77
readonly logs=build/test-logs

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
	CXX=${CXX:-/usr/bin/g++-12} cmake --preset asan --log-level=WARNING -DSTALESOCK_WERROR=ON &&
		cmake --build --preset asan --target stalesock-unit-tests &&
		run_binary build-asan/tests/unit/stalesock-unit-tests
}

layer_runtime() {
	run_binary build/tests/runtime/stalesock-runtime-tests
}

# One seed, so that a failure can be seen again; without --seed each run has its own.
layer_oracle() {
	run_binary build/tests/oracle/stalesock-oracle --seed "${STALESOCK_ORACLE_SEED:-1}"
}

layer_e2e() {
	run_binary tests/e2e/run.sh
}

may_skip() {
	[[ " ${STALESOCK_ALLOW_SKIP:-} " == *" $1 "* ]]
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
printf '\n%s' "$summary"
exit "$failed"
