#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks the headers of Debian's own kernel into a directory for BCC_KERNEL_SOURCE and prints its path.
# Nothing is installed.
set -eu

directory=${1:?"usage: $0 DIRECTORY"}
if [ ! -e "$directory/include/generated/autoconf.h" ]; then
	package=$(apt-cache depends linux-headers-amd64 | sed -n 's/.*Depends: \(linux-headers-.*\)/\1/p' | head -n 1)
	common=$(apt-cache depends "$package" | sed -n 's/.*Depends: \(linux-headers-.*-common\)$/\1/p' | head -n 1)
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	mkdir -p "$directory"
	(cd "$scratch" && apt-get download "$package" "$common" >&2)
	for archive in "$scratch"/*.deb; do
		dpkg-deb -x "$archive" "$scratch/root"
	done
	# bcc looks for one tree; Debian splits it in two.
	cp -a "$scratch/root/usr/src/$common/." "$directory/"
	cp -a "$scratch/root/usr/src/$package/." "$directory/"
fi
echo "$directory"
