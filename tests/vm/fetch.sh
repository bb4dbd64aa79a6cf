#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the newest Debian cloud kernel of a series that apt knows and prints the folder it is in:
# boot/vmlinuz-RELEASE, boot/config-RELEASE and lib/modules/RELEASE with its modules.dep.
#
#   tests/vm/fetch.sh 6.1|6.12|6.1-arm64|6.12-arm64
#
# STALESOCK_VM_CACHE is where kernels are kept, by default build/vm-cache of this source tree. A kernel
# that is there is not fetched again; without apt the newest one there is taken.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${STALESOCK_VM_CACHE:-$root/build/vm-cache}

say() {
	echo "fetch.sh: $*" >&2
}

# The package that always depends on the newest kernel of a series.
meta_package() {
	case $1 in
	6.1) echo "linux-image-cloud-$architecture" ;; # Debian 12's own
	6.12) echo "linux-image-6.12-cloud-$architecture" ;;
	*)
		say "unknown series '$1'; there are: 6.1 6.12 6.1-arm64 6.12-arm64"
		return 1
		;;
	esac
}

# "PACKAGE VERSION", or nothing when apt does not know one of this series.
resolve() {
	local package version
	package=$(apt-cache depends "$meta" 2>/dev/null |
		awk -v start="linux-image-$series." '$1 == "Depends:" && index($2, start) == 1 { print $2; exit }')
	[ -n "$package" ] || return 0
	version=$(apt-cache policy "$package" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }')
	[ -z "$version" ] || echo "$package $version"
}

update_lists() {
	say "reading the package lists"
	apt-get update -q >&2 || say "apt-get update failed"
}

folder_of() {
	echo "$cache/$1_$2"
}

newest_cached() {
	find "$cache" -mindepth 1 -maxdepth 1 -type d -name "linux-image-$series.*-${architecture}_*" | sort -V | tail -n 1
}

# Appears in the cache whole or not at all.
download() {
	local package=$1 version=$2 release=${1#linux-image-}
	say "fetching $package $version"
	unpacked=$(mktemp -d "$cache/.unpack.XXXXXX")
	(cd "$unpacked" && apt-get download -q -o APT::Sandbox::User=root "$package=$version" >&2) || {
		rm -rf "$unpacked"
		return 1
	}
	dpkg-deb -x "$unpacked"/*.deb "$unpacked"
	rm -rf "$unpacked"/*.deb "${unpacked:?}"/usr/share
	depmod -b "$unpacked" "$release"
	chmod 755 "$unpacked"
	mv "$unpacked" "$(folder_of "$package" "$version")"
}

# Prints the folder. The lists may be absent, or so old that they name files which are gone: they are
# read again once.
fetch() {
	local package version attempt
	for attempt in first second; do
		read -r package version <<<"$(resolve)" || true
		if [ -n "$package" ]; then
			[ -d "$(folder_of "$package" "$version")" ] || download "$package" "$version" || version=""
			[ -z "$version" ] || { folder_of "$package" "$version"; return; }
		fi
		[ "$attempt" = second ] || update_lists
	done
	return 1
}

[ $# -eq 1 ] || { say "usage: tests/vm/fetch.sh 6.1|6.12|6.1-arm64|6.12-arm64"; exit 2; }
series=${1%-arm64} architecture=amd64
[ "$series" = "$1" ] || architecture=arm64
meta=$(meta_package "$series")
mkdir -p "$cache"
unpacked=""
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
exec 9>"$cache/.lock" # two at once fetch one after the other
flock 9
if [ "$architecture" = arm64 ]; then
	APT_CONFIG=$("$here/arm64/apt-config.sh")
	export APT_CONFIG
fi
fetch && exit
folder=$(newest_cached)
[ -n "$folder" ] || { say "apt has no kernel $1, and $cache neither"; exit 1; }
say "apt has no kernel $1; taking $(basename "$folder"), which was fetched earlier"
echo "$folder"
