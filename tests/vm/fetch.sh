#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the newest Debian cloud kernel of a series and prints the folder it is in: boot/vmlinuz-RELEASE,
# boot/config-RELEASE and lib/modules/RELEASE with its modules.dep, however its packages are split.
#
#   tests/vm/fetch.sh 6.1|6.12|newest|5.10|6.1-arm64|6.12-arm64
#
# STALESOCK_VM_CACHE is where kernels are kept, by default build/vm-cache of this source tree. A kernel
# that is there is not fetched again; without apt the newest one there is taken.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${STALESOCK_VM_CACHE:-$root/build/vm-cache}
readonly usage="6.1|6.12|newest|5.10|6.1-arm64|6.12-arm64"

say() {
	echo "fetch.sh: $*" >&2
}

# Where Debian publishes a series: only this suite is read, whatever the host has. A release's newest kernel is
# among its security updates.
suite_of() {
	case $1 in
	5.10) echo bullseye-security ;;
	6.1) echo bookworm-security ;;
	6.12) echo trixie-security ;;
	newest) echo trixie-backports ;;
	*)
		say "unknown series '$1'; there are: ${usage//|/ }"
		return 1
		;;
	esac
}

depends_of() {
	apt-cache show "$1" 2>/dev/null | sed -n 's/^Depends: //p;/^$/q' | tr ',' '\n' | sed 's/^ *//'
}

# The image that the suite's meta package depends on, as PACKAGE=VERSION; nothing when apt does not know it.
resolve() {
	local package version
	package=$(depends_of "linux-image-cloud-$architecture" | awk '/^linux-image-[0-9]/ { print $1; exit }')
	[ -n "$package" ] || return 0
	version=$(apt-cache policy "$package" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }')
	[ -z "$version" ] || echo "$package=$version"
}

# The image, and what it needs of the very same version: newer kernels have the binary and the modules in packages of
# their own. Whatever else it depends on is for a host that boots it.
parts_of() {
	local version=${1#*=} waiting=("$1") known=" $1 " part
	while [ "${#waiting[@]}" -gt 0 ]; do
		echo "${waiting[0]}"
		for part in $(depends_of "${waiting[0]}" | awk -v same="$version)" '$2 == "(=" && $3 == same { print $1 }'); do
			[[ $known != *" $part=$version "* ]] || continue
			known+="$part=$version "
			waiting+=("$part=$version")
		done
		waiting=("${waiting[@]:1}")
	done
}

update_lists() {
	say "reading the package lists of $suite"
	touch "$(dirname "$APT_CONFIG")/asked"
	apt-get update -q >&2 || say "apt-get update failed"
}

# The newest kernel of a suite is not the same for long.
lists_are_old() {
	[ -z "$(find "$(dirname "$APT_CONFIG")/asked" -mtime -1 2>/dev/null)" ]
}

folder_of() {
	echo "$cache/${1/=/_}"
}

newest_cached() {
	local number=$series
	[ "$series" != newest ] || number="[0-9]*"
	find "$cache" -mindepth 1 -maxdepth 1 -type d -name "linux-image-$number.*-${architecture}_*" | sort -V | tail -n 1
}

# Some packages have the binary and its configuration beside the modules, and those in usr/lib: lib is usr/lib, as on
# every host, and boot has the rest.
normalise() {
	local tree=$1 release=$2 name
	mkdir -p "$tree"/{boot,usr/lib}
	if [ -d "$tree/lib" ]; then
		cp -al "$tree/lib/." "$tree/usr/lib"
		rm -r "${tree:?}/lib"
	fi
	ln -s usr/lib "$tree/lib"
	for name in vmlinuz config; do
		[ ! -e "$tree/lib/modules/$release/$name" ] || mv "$tree/lib/modules/$release/$name" "$tree/boot/$name-$release"
	done
	rm -f "$tree/lib/modules/$release"/{build,source}
	[ -s "$tree/boot/vmlinuz-$release" ] && [ -d "$tree/lib/modules/$release/kernel" ]
}

# Appears in the cache whole or not at all.
download() {
	local image=$1 release parts package
	release=${image#linux-image-}
	release=${release%%=*}
	mapfile -t parts < <(parts_of "$image")
	say "fetching ${parts[*]}"
	unpacked=$(mktemp -d "$cache/.unpack.XXXXXX")
	(cd "$unpacked" && apt-get download -q "${parts[@]}" >&2) || {
		rm -rf "$unpacked"
		return 1
	}
	for package in "$unpacked"/*.deb; do
		dpkg-deb -x "$package" "$unpacked"
	done
	rm -rf "$unpacked"/*.deb "${unpacked:?}"/usr/share
	normalise "$unpacked" "$release" || {
		say "${parts[*]} have no kernel, or no modules, where they are expected"
		rm -rf "$unpacked"
		return 1
	}
	depmod -b "$unpacked" "$release"
	chmod 755 "$unpacked"
	mv "$unpacked" "$(folder_of "$image")"
}

# Prints the folder. The lists may be absent, or so old that they name files which are gone: they are
# read again once.
fetch() {
	local image attempt
	! lists_are_old || update_lists
	for attempt in first second; do
		image=$(resolve)
		if [ -n "$image" ]; then
			[ -d "$(folder_of "$image")" ] || download "$image" || image=""
			[ -z "$image" ] || { folder_of "$image"; return; }
		fi
		[ "$attempt" = second ] || update_lists
	done
	return 1
}

[ $# -eq 1 ] || { say "usage: tests/vm/fetch.sh $usage"; exit 2; }
series=${1%-arm64} architecture=amd64
[ "$series" = "$1" ] || architecture=arm64
suite=$(suite_of "$series")
mkdir -p "$cache"
unpacked=""
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
exec 9>"$cache/.lock" # two at once fetch one after the other
flock 9
if APT_CONFIG=$("$here/apt-config.sh" "$architecture" "$suite"); then
	export APT_CONFIG
	fetch && exit
fi
folder=$(newest_cached)
[ -n "$folder" ] || { say "apt has no kernel $1, and $cache neither"; exit 1; }
say "apt has no kernel $1; taking $(basename "$folder"), which was fetched earlier"
echo "$folder"
