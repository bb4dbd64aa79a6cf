#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tests, layer by layer. Exits non-zero when one failed.
#
#   tests/run.sh                 what CI runs: about 30 minutes on 2 cores
#   tests/run.sh quick           for the desk: build, format, unit, runtime; 5 minutes
#   tests/run.sh full            before a release or a change of a BPF program: about 3 hours
#   tests/run.sh [full] LAYER... only these layers
#
# A layer that cannot run says why and exits with 77. That is a failure too, unless the layer is named
# in STALESOCK_ALLOW_SKIP, a list separated by spaces.
#
# Three lanes run at once: layers that mostly wait, guests (an emulator takes one CPU), and what only computes. The
# later a lane, the lower its priority. `full` runs one layer after the other, and keeps the results in
# tests/full-results.md.
set -uo pipefail

# Debian's own tools first, whatever else is installed.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
cd "$(dirname "$0")/.." || exit 1

export STALESOCK=$PWD/build/stalesock
readonly quick_layers=(build format unit runtime)
readonly default_layers=(build format unit runtime daemon terminal oracle e2e vm guest package tidy)
readonly full_layers=("${default_layers[@]}" asan arm64 packages fresh)
readonly second_lane=(vm guest package)
readonly third_lane=(tidy)
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

is_full() {
	[ "$mode" = full ]
}

layer_build() {
	packaging/bootstrap.sh tests
}

layer_format() {
	find bpf include user tests \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print0 |
		xargs -0 clang-format --dry-run -Werror
}

# The static analyzer, and the checks that cost most: they ask about each expression of all the headers of libraries,
# and take three quarters of clang-tidy's time. They wait for a full run.
readonly slow_checks=(clang-analyzer-\* bugprone-{assert-side-effect,implicit-widening-of-multiplication-result}
	bugprone-{infinite-loop,multiple-statement-macro,reserved-identifier,sizeof-expression,stringview-nullptr}
	bugprone-{suspicious-semicolon,suspicious-string-compare,unused-raii,unused-return-value,use-after-move}
	cppcoreguidelines-{init-variables,slicing} misc-{definitions-in-headers,redundant-expression,unused-using-decls}
	modernize-{deprecated-ios-base-aliases,replace-auto-ptr,use-transparent-functors,use-using}
	performance-{move-const-arg,unnecessary-copy-initialization,unnecessary-value-param}
	readability-{container-size-empty,non-const-parameter,redundant-control-flow,redundant-declaration}
	readability-{suspicious-call-argument,uppercase-literal-suffix})

layer_tidy() {
	local without=""
	is_full || without=$(printf ',-%s' "${slow_checks[@]}")
	# The analyzer takes -Werror back by itself; without it the compiler's warnings would be errors that no check is for.
	run-clang-tidy -p build -j2 -quiet -extra-arg=-Wno-error -checks="${without#,}" '/user/[a-z]+/[a-z0-9_]+\.cpp$'
}

layer_unit() {
	ctest --preset release -j2
}

layer_asan() {
	CC=${CC:-/usr/bin/gcc} CXX=${CXX:-/usr/bin/g++} cmake --preset asan --log-level=WARNING -DSTALESOCK_WERROR=ON &&
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
	local connections=1000
	! is_full || connections=2400
	run_binary build/tests/oracle/stalesock-oracle --connections "$connections" \
		--seed "${STALESOCK_ORACLE_SEED:-1}" --most-unscored 4 --save "$logs/oracle"
}

# Chance must not be what passes.
layer_e2e() {
	local times=1
	! is_full || times=3
	for _ in $(seq "$times"); do
		run_binary tests/e2e/run.sh || return
	done
}

# The unit's hardening, and a package that lintian has nothing to say about.
layer_package() {
	systemd-analyze security --offline=yes --threshold=16 packaging/systemd/stalesock.service | tail -n 1 &&
		packaging/deb/build.sh --need-lintian
}

# The package under a real systemd, emulated: on one kernel, or on both.
layer_guest() {
	if is_full; then
		tests/guest/run.sh
	else
		tests/guest/run.sh 6.12
	fi
}

# Other kernels, emulated: one boot of each, or every class of hooks.
layer_vm() {
	if is_full; then
		tests/vm/matrix.sh
	else
		tests/vm/matrix.sh --short
	fi
}

layer_arm64() {
	packaging/bootstrap.sh arm64 && tests/vm/matrix.sh arm64
}

# The list of packages is complete: only [build] is there.
layer_packages() {
	tests/fresh/run.sh --build-only
}

# README's commands in minimal Debian systems.
layer_fresh() {
	tests/fresh/run.sh --tests
}

may_skip() {
	[[ " ${STALESOCK_ALLOW_SKIP:-} " == *" $1 "* ]]
}

contains() {
	local wanted=$1
	shift
	[[ " $* " == *" $wanted "* ]]
}

# A long run's output is often kept from its end only: what failed is told again there.
tell_again() {
	printf '\n--- the end of %s\n' "$1"
	tail -n "$excerpt_lines" "$1"
}

# "ok", "FAILED ..." or "skipped: why", from the exit code of a layer.
result_of() {
	local name=$1 code=$2 reason
	case $code in
	0) echo ok ;;
	"$skip_code")
		reason=$(grep -i '^skipped' "$logs/$name.log" | tail -n 1)
		if may_skip "$name"; then
			echo "${reason:-skipped without a reason}"
		else
			echo "FAILED (${reason:-skipped without a reason})"
		fi
		;;
	*) echo "FAILED (exit code $code, $logs/$name.log)" ;;
	esac
}

# NAME SECONDS RESULT; for the summary, and for the record of full runs.
keep_result() {
	echo "$2 $3" >"$logs/$1.result"
	! is_full || tests/keep_full_result.py "$@" "$logs/$1.log"
}

# run_layer NAME: its output appears at once.
run_layer() {
	local started=$SECONDS
	echo "=== $1"
	"layer_$1" 2>&1 | tee "$logs/$1.log"
	keep_result "$1" $((SECONDS - started)) "$(result_of "$1" "${PIPESTATUS[0]}")"
}

# run_quietly NICE NAME...: the output of each layer appears when the layer has ended, whole and below its name.
run_quietly() {
	local nice=$1 name started code
	shift
	renice -n "$nice" "$BASHPID" >/dev/null
	for name in "$@"; do
		started=$SECONDS
		"layer_$name" >"$logs/$name.log" 2>&1
		code=$?
		keep_result "$name" $((SECONDS - started)) "$(result_of "$name" "$code")"
		sed "1i === $name (in a lane of its own)" "$logs/$name.log"
	done
}

# start_lane NICE NAME...: in a process group of its own, which ends with this script.
start_lane() {
	[ $# -gt 1 ] || return 0
	set -m
	run_quietly "$@" &
	lanes+=("$!")
	set +m
}

# shellcheck disable=SC2317 # it is the trap's
end_lanes() {
	local lane
	for lane in "${lanes[@]}"; do
		kill -TERM -- "-$lane" 2>/dev/null
	done
}

# The first lane runs here.
run_lanes() {
	local name first=() second=() third=()
	for name in "$@"; do
		if is_full; then
			first+=("$name")
		elif contains "$name" "${second_lane[@]}"; then
			second+=("$name")
		elif contains "$name" "${third_lane[@]}"; then
			third+=("$name")
		else
			first+=("$name")
		fi
	done
	lanes=()
	trap end_lanes EXIT
	start_lane 10 ${second[@]+"${second[@]}"}
	start_lane 19 ${third[@]+"${third[@]}"}
	for name in ${first[@]+"${first[@]}"}; do
		run_layer "$name"
	done
	[ "${#lanes[@]}" -eq 0 ] || wait "${lanes[@]}"
	trap - EXIT
}

build_succeeded() {
	run_layer build
	[ "$(result_of_layer build)" = ok ]
}

result_of_layer() {
	cut -d ' ' -f 2- "$logs/$1.result" 2>/dev/null || echo "FAILED (not run: the build failed)"
}

seconds_of_layer() {
	cut -d ' ' -f 1 "$logs/$1.result" 2>/dev/null || echo 0
}

# Nothing is tried again in silence: disagreements of an oracle, and guests that never reached our command.
tell_retries() {
	local name
	for name in "${layers[@]}"; do
		grep -hs -A 3 'tried again: ' "$logs/$name.log" | sed "s/^/$name: /"
		grep -hs 'second boot' "$logs/$name.log" | sed "s/^/$name: /"
	done
}

finish() {
	local name result failed=0 summary=""
	for name in "${layers[@]}"; do
		result=$(result_of_layer "$name")
		summary+=$(printf '%-10s %5d s  %s' "$name" "$(seconds_of_layer "$name")" "$result")$'\n'
		[[ $result == FAILED* ]] || continue
		failed=1
		[ ! -s "$logs/$name.log" ] || tell_again "$logs/$name.log"
	done
	echo
	tell_retries
	printf '%s%-10s %5d s\n' "$summary" total "$SECONDS"
	exit "$failed"
}

[ "$(id -u)" -eq 0 ] || { echo "tests/run.sh: must run as root" >&2; exit 1; }
mode=default
case ${1:-} in
quick)
	asked=("${quick_layers[@]}")
	shift
	;;
full)
	mode=full asked=("${full_layers[@]}")
	shift
	;;
*) asked=("${default_layers[@]}") ;;
esac
[ $# -eq 0 ] || asked=("$@")
for name in "${asked[@]}"; do
	declare -F "layer_$name" >/dev/null ||
		{ echo "tests/run.sh: no layer '$name'; there are: ${full_layers[*]}" >&2; exit 2; }
done
# All but the format check need a build, and it comes first.
layers=()
[[ "${asked[*]}" == format ]] || layers=(build)
for name in "${asked[@]}"; do
	[ "$name" = build ] || layers+=("$name")
done

mkdir -p "$logs"
rm -f "$logs"/*.result
if [ "${layers[0]}" != build ]; then
	run_lanes "${layers[@]}"
elif build_succeeded; then
	run_lanes "${layers[@]:1}"
fi
finish
