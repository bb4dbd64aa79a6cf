#!/bin/dash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of the guest. Not busybox's shell: that prefers its own applets over programs in PATH.
#
# Serial ports: 0 the kernel's console (arm64 has one more for that), 1 what the command prints, 2 /results
# as a tar archive, 3 what run.sh waits for: "init", then "exit N" or "hang", then "done".
export PATH=/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8 TERM=dumb
export STALESOCK=/stalesock/build/stalesock

# Those that the guest has no program for.
install_applets() {
	busybox mount -t proc proc /proc
	busybox --install -s /usr/bin 2>/dev/null
}

mount_all() {
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /run
	mount -t bpf bpf /sys/fs/bpf
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t securityfs securityfs /sys/kernel/security
	ln -s /proc/self/fd /dev/fd
	ln -s /proc/self/fd/1 /dev/stdout
	ln -s /proc/self/fd/2 /dev/stderr
}

open_ports() {
	exec </dev/null >/dev/console 2>&1 3>/dev/ttyS3 4>/dev/ttyS1
	for port in 1 2 3; do
		stty -F "/dev/ttyS$port" raw -echo
	done
}

tell_host() {
	echo "$*" >&3
}

# What every command may count on.
prepare() {
	hostname guest
	ip link set lo up
	modprobe tun
}

# Kept for whoever asks why: no stack of a process can be read after it was killed.
describe_hang() {
	ps -o pid,ppid,stat,args
	for process in /proc/[0-9]*; do
		[ -s "$process/cmdline" ] || continue # a kernel thread
		echo "--- $(tr '\0' ' ' <"$process/cmdline")"
		cat "$process/stack"
	done
}

# Kills the command after its time.
limit_job() {
	sleep "$(cat /job/timeout)"
	echo hang >/run/hang
	describe_hang >/results/hang.txt 2>&1
	kill -KILL "-$1"
}

# The command has a session of its own. Its output goes through a pipe: it is no terminal's.
run_job() {
	cd /stalesock || return
	mkfifo /run/output
	cat </run/output >&4 3>&- &
	copier=$!
	setsid dash /job/command </dev/null >/run/output 2>&1 3>&- 4>&- &
	job=$!
	limit_job "$job" 3>&- 4>&- &
	wait "$job"
	status=$?
	# What the command left running may keep the pipe open.
	(sleep 5 && kill "$copier") 3>&- 4>&- &
	wait "$copier"
}

tell_result() {
	if [ -e /run/hang ]; then
		tell_host hang
	else
		tell_host "exit $status"
	fi
}

send_results() {
	dmesg >/results/dmesg.txt
	tar -C /results -cz . >/dev/ttyS2
	tell_host "done"
}

install_applets
mount_all
open_ports
prepare
tell_host init
run_job
tell_result
send_results
reboot -f
