#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package under a real systemd, in an emulated machine (never KVM) with Debian's own kernels.
#
#   tests/guest/run.sh [6.1|6.12]...    by default both, one after the other
#
# Needs root, and a build. Logs: build/guest-logs/VERSION. STALESOCK_VM_CACHE as in tests/vm.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
readonly patience=1800 # seconds; a quiet machine needs one minute
work="" guest=""

# shellcheck disable=SC2317 # it is the trap's
clean_up() {
	[ -z "$guest" ] || kill "$guest" 2>/dev/null || true
	[ -z "$work" ] || rm -rf "$work"
}

make_job() {
	local job=$work/job
	mkdir "$job"
	cp "$here/check.py" "$job/run"
	cp "$old_package" "$job/old.deb"
	cp "$new_package" "$job/new.deb"
	tar -cf "$work/job.disk" -C "$job" .
	truncate -s %1M "$work/job.disk"
	truncate -s 16M "$work/results.disk"
}

boot() {
	local kernel
	kernel=$("$root/tests/vm/fetch.sh" "$1")
	# One thread for both CPUs, for the reason that tests/vm/run.sh gives.
	timeout --kill-after=5 "$patience" qemu-system-x86_64 -M q35 -cpu max -accel tcg,thread=single -smp 2 -m 1024 \
		-display none -no-reboot -nic none -monitor none -serial "file:$work/console.log" \
		-drive "file=$image,format=raw,if=none,id=root,snapshot=on" -device nvme,serial=root,drive=root \
		-drive "file=$work/job.disk,format=raw,if=none,id=job" -device nvme,serial=job,drive=job \
		-drive "file=$work/results.disk,format=raw,if=none,id=results" -device nvme,serial=results,drive=results \
		-kernel "$kernel"/boot/vmlinuz-* \
		-append "console=ttyS0 quiet panic=-1 oops=panic no_timer_check root=PARTUUID=$(cat "$here/partition-uuid") rw" \
		</dev/null >"$work/qemu.log" 2>&1 &
	guest=$!
	wait "$guest" || echo "run.sh: the emulator ended with $?" >&2
	guest=""
}

# An emulated machine's timers make a kernel panic while it boots now and then, before anything of ours was
# tried.
panicked_at_boot() {
	grep -aq 'Kernel panic' "$work/console.log" && ! grep -aq '^the job starts' "$work/console.log"
}

# Prints what the job said; fails unless it said that all is well.
judge() {
	local logs=$root/build/guest-logs/$1
	rm -rf "$logs"
	mkdir -p "$logs"
	cp "$work"/console.log "$work"/qemu.log "$logs"
	tar -xf "$work/results.disk" -C "$logs" 2>/dev/null || true
	if [ ! -e "$logs/code" ]; then
		echo "run.sh: kernel $1: the guest left no result; see $logs" >&2
		tail -n 20 "$logs/console.log" >&2
		return 1
	fi
	sed "s/^/$1  /" "$logs/output.log"
	[ "$(cat "$logs/code")" = 0 ] || { echo "run.sh: kernel $1 failed; see $logs" >&2; return 1; }
}

versions=("$@")
[ $# -gt 0 ] || versions=(6.1 6.12)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir -p "$root/build/guest-logs"
old_package=$("$root/packaging/deb/build.sh" "$root/build/deb")
new_package=$("$root/packaging/deb/build.sh" "$root/build/deb" "$(sed 's/.*_\(.*\)-1_.*/\1/' <<<"$old_package").1")
image=$("$here/image.sh" "$new_package")
failed=0
for version in "${versions[@]}"; do
	work=$(mktemp -d "$root/build/guest-logs/.run.XXXXXX")
	make_job
	boot "$version"
	if panicked_at_boot; then
		echo "run.sh: kernel $version panicked while it booted; a second boot" >&2
		tail -n 25 "$work/console.log" >&2
		boot "$version"
	fi
	judge "$version" || failed=1
	rm -rf "$work"
done
exit "$failed"
