#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the disk of the systemd guest, once, and prints where it is: Debian 12 with systemd and nginx, no kernel, and
# a service that runs the job which a second disk brings.
#
#   image.sh PACKAGE.deb        what PACKAGE depends on is there too
#
# STALESOCK_VM_CACHE is where it is kept, by default build/vm-cache of this source tree.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${STALESOCK_VM_CACHE:-$(cd "$here/../.." && pwd)/build/vm-cache}
readonly packages=systemd,systemd-sysv,dbus,udev,kmod,iproute2,procps,python3,nginx-light
readonly partition_start=1048576 # bytes
readonly size_mb=1200

# The first of alternatives, without versions.
dependencies() {
	dpkg-deb --field "$1" Depends | tr ',' '\n' | sed -E 's/^ *([^ (|]+).*/\1/'
}

root_filesystem() {
	mmdebstrap --quiet --variant=minbase --include="$packages,$dependencies" --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$1" >&2
	rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
	install -m 755 "$here/run-job" "$1/usr/local/sbin/run-job"
	install -m 644 "$here/job.service" "$1/etc/systemd/system/job.service"
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants" "$1/var/log/journal"
	ln -s ../job.service "$1/etc/systemd/system/multi-user.target.wants/job.service"
	# nginx is started by the job; nobody logs in, and nothing waits for a network.
	rm -f "$1/etc/systemd/system/multi-user.target.wants/nginx.service"
	# systemd-firstboot would wait for answers on the console.
	for unit in systemd-firstboot.service getty@tty1.service serial-getty@ttyS0.service systemd-timesyncd.service apt-daily.timer \
		apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
	echo guest >"$1/etc/hostname"
	echo 5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e >"$1/etc/machine-id"
}

disk() {
	truncate -s $((size_mb + 2))M "$2"
	mke2fs -q -t ext4 -d "$1" -E offset=$partition_start "$2" ${size_mb}M
	printf 'label: gpt\nstart=%s, size=%s, uuid=%s\n' $((partition_start / 512)) $((size_mb * 2048)) \
		"$(cat "$here/partition-uuid")" | sfdisk --quiet "$2"
}

dependencies=$(dependencies "$1" | paste -sd ,)
mkdir -p "$cache"
exec 9>"$cache/.guest-lock" # two at once make it one after the other
flock 9
name=guest-$( (cat "$here"/{image.sh,run-job,job.service,partition-uuid} && echo "$dependencies") | sha256sum | cut -c 1-16).img
if [ ! -e "$cache/$name" ]; then
	echo "image.sh: making $name" >&2
	work=$(mktemp -d "$cache/.guest.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	chmod 755 "$work"
	root_filesystem "$work/root"
	disk "$work/root" "$work/disk"
	rm -f "$cache"/guest-*.img # older ones
	mv "$work/disk" "$cache/$name"
fi
echo "$cache/$name"
