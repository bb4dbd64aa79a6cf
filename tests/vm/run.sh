#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command of the built tree on another kernel, in an emulated machine (never KVM).
#
#   tests/vm/run.sh 6.1|6.12|newest|5.10|6.1-arm64|6.12-arm64 [OPTION...] -- COMMAND [ARGUMENT...]
#
#   --files PATH       also put this file or folder, with its libraries, into the guest
#   --timeout S        the command's time in seconds, by default 1800: emulation is slow and noisy
#   --boot-timeout S   the time to reach the command, by default 300
#   --grace S          how long after the timeout the guest may take to tell of it, by default 60
#   --memory MB        the guest's memory, by default 1024
#   --append ARGUMENT  one more argument for the kernel
#   --logs FOLDER      where the files below go, by default build/vm-logs/VERSION
#
# The command runs as root in a folder that looks like the source tree, with STALESOCK set and lo up. What
# it prints comes out here at once. In FOLDER, which is replaced at the end: outcome (one line), output.log,
# console.log (the kernel's), dmesg.txt, and whatever the command left in /results.
#
# Exit code: the command's own, or one of these. The outcome file tells them apart from a command that
# exits with such a number.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
readonly code_setup=201    # the host could not prepare the guest
readonly code_no_init=202  # the guest never got as far as the command
readonly code_panic=203    # kernel panic (or oops)
readonly code_hang=204     # the command or the guest did not end in time
readonly code_no_answer=205 # the guest ended without an exit code
readonly results_timeout=300
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

fail_setup() {
	echo "run.sh: $*" >&2
	exit "$code_setup"
}

usage() {
	sed -n '5,13s/^# *//p' "${BASH_SOURCE[0]}" >&2
	exit "$code_setup"
}

parse_options() {
	[ $# -ge 1 ] || usage
	version=$1
	shift
	while [ $# -ge 2 ] && [ "$1" != -- ]; do
		case $1 in
		--files) files+=("$2") ;;
		--timeout) timeout=$2 ;;
		--boot-timeout) boot_timeout=$2 ;;
		--grace) grace=$2 ;;
		--memory) memory=$2 ;;
		--append) append+=" $2" ;;
		--logs) logs=$2 ;;
		*) usage ;;
		esac
		shift 2
	done
	[[ $# -ge 2 && $1 == -- ]] || usage
	shift
	command=("$@")
	logs=${logs:-$root/build/vm-logs/$version}
}

# A shell script that runs exactly these words.
quoted_command() {
	local word
	printf 'exec'
	for word in "${command[@]}"; do
		printf " '%s'" "${word//\'/\'\\\'\'}"
	done
	echo
}

# The emulator, up to what both have in common. Port 0 is the console's; arm64's own port is that, and the
# four of the card are in the same order for both.
describe_machine() {
	case $version in
	*-arm64)
		machine=(qemu-system-aarch64 -accel tcg -M "virt,gic-version=3" -cpu "max,pauth-impdef=on"
			-serial file:console.log
			-chardev "null,id=port0" -chardev "file,id=port1,path=output.log"
			-chardev "file,id=port2,path=results.tar" -chardev "file,id=port3,path=control"
			-device "pci-serial-4x,chardev1=port0,chardev2=port1,chardev3=port2,chardev4=port3")
		console=ttyAMA0
		;;
	*)
		# One thread for both CPUs: with two, a CPU may still execute the breakpoint by which the other one changes the
		# kernel's code (a tracepoint that is attached), after the kernel has forgotten it, and the guest panics (int3).
		machine=(qemu-system-x86_64 -accel tcg,thread=single -M q35 -cpu max
			-serial file:console.log -serial file:output.log -serial file:results.tar -serial file:control)
		console=ttyS0
		# Its test of the timer at boot fails, with a panic, when the host takes the CPU away meanwhile.
		append+=" no_timer_check"
		;;
	esac
}

prepare() {
	describe_machine
	command -v "${machine[0]}" >/dev/null || fail_setup "there is no ${machine[0]} on this host"
	kernel=$("$here/fetch.sh" "$version") || fail_setup "no kernel $version"
	mkdir "$work/job"
	quoted_command >"$work/job/command"
	echo "$timeout" >"$work/job/timeout"
	"$here/initramfs.sh" "$kernel" "$work/job" "$work/initramfs" ${files[@]+"${files[@]}"} ||
		fail_setup "the initramfs could not be made"
	touch "$work"/{console.log,output.log,qemu.log,results.tar,control}
}

# It goes when this script goes, however that ends.
start_guest() {
	(cd "$work" && exec setpriv --pdeathsig KILL "${machine[@]}" -smp 2 \
		-m "$memory" -display none -no-reboot -nic none -monitor none \
		-kernel "$kernel"/boot/vmlinuz-* -initrd initramfs \
		-append "console=$console quiet panic=-1 oops=panic$append" </dev/null >qemu.log 2>&1) &
	guest=$!
	tail -n +1 -f -s 0.1 --pid="$guest" "$work/output.log" &
	printer=$!
}

was_told() {
	grep -q "^$1" "$work/control"
}

# The stages of a guest: booting, the command, sending the results. Each has its time.
wait_for_guest() {
	local stage=booting deadline=$((SECONDS + boot_timeout))
	while kill -0 "$guest" 2>/dev/null; do
		if [ "$stage" = booting ] && was_told init; then
			# The guest itself ends the command when its time is over, and still sends results.
			stage=command deadline=$((SECONDS + timeout + grace))
		elif [ "$stage" = command ] && was_told 'exit\|hang'; then
			stage=results deadline=$((SECONDS + results_timeout))
		fi
		[ "$SECONDS" -lt "$deadline" ] || { end_guest; return; }
		sleep 0.2
	done
}

end_guest() {
	[ -n "$guest" ] || return 0
	kill -KILL "$guest" 2>/dev/null || true
	wait "$guest" 2>/dev/null || true
	timed_out=yes
}

# Sets code and outcome.
judge() {
	if was_told "done" && was_told exit; then
		code=$(sed -n 's/^exit //p' "$work/control")
		outcome="exit $code"
	elif ! was_told init; then
		code=$code_no_init outcome="the guest never got as far as the command"
		! grep -aq 'Kernel panic' "$work/console.log" || outcome+=": kernel panic (console.log)"
	elif was_told "done"; then
		code=$code_hang outcome="hang: the command did not end in $timeout s (hang.txt)"
	elif grep -aq 'Kernel panic' "$work/console.log"; then
		code=$code_panic outcome="kernel panic (console.log)"
	elif [ "$timed_out" = yes ]; then
		code=$code_hang outcome="hang: the guest did not answer in time"
	else
		code=$code_no_answer outcome="the guest ended without an exit code"
	fi
}

# Whole or not at all, also when two runs end at once.
keep_logs() {
	local kept=$work/kept
	mkdir "$kept"
	[ ! -s "$work/results.tar" ] || tar -xzf "$work/results.tar" --no-same-owner --warning=no-timestamp -C "$kept" ||
		echo "run.sh: the results are incomplete" >&2
	tr -d '\r' <"$work/console.log" >"$kept/console.log"
	cp "$work"/{output.log,qemu.log} "$kept"
	[ -s "$kept/qemu.log" ] || rm "$kept/qemu.log"
	echo "$outcome" >"$kept/outcome"
	exec 9>"$(dirname "$logs")/.lock"
	flock 9
	[ ! -e "$logs" ] || mv "$logs" "$work/old"
	mv "$kept" "$logs"
}

tell_outcome() {
	[ "$outcome" != "exit 0" ] || return 0
	echo "run.sh: kernel $version: $outcome; see $logs" >&2
	case $outcome in
	exit*) ;;
	*) tail -n 25 "$logs/console.log" >&2 ;;
	esac
}

# shellcheck disable=SC2317 # it is the trap's
clean_up() {
	trap '' INT TERM
	end_guest
	[ -z "$printer" ] || kill "$printer" 2>/dev/null || true
	rm -rf "$work"
}

files=() timeout=1800 boot_timeout=300 grace=60 memory=1024 append="" logs=""
work="" guest="" printer="" timed_out=no
parse_options "$@"
mkdir -p "$(dirname "$logs")"
logs=$(cd "$(dirname "$logs")" && pwd)/$(basename "$logs")
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
work=$(mktemp -d "$(dirname "$logs")/.run.XXXXXX")

prepare
start_guest
wait_for_guest
wait "$printer" || true
guest="" printer=""
judge
keep_logs
tell_outcome
exit "$code"
