#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the folder with arm64's libraries and programs: what build.sh links with and what a guest gets.
# Made of packages that are unpacked and not installed, so that nothing of arm64 has to run here.
#
# It is kept in build/vm-cache/arm64 (or $STALESOCK_VM_CACHE/arm64) and made again when the list of packages
# changes; remove it to have newer packages.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
mkdir -p "${STALESOCK_VM_CACHE:-$root/build/vm-cache}/arm64"
cache=$(cd "${STALESOCK_VM_CACHE:-$root/build/vm-cache}/arm64" && pwd)

say() {
	echo "sysroot.sh: $*" >&2
}

# Of packages.txt: the libraries of the program and of the tests, and [arm64-guest].
packages() {
	awk '/^\[/ { guest = $1 == "[arm64-guest]"; libraries = 0; next }
		/^#/ { libraries = /^# libraries of/; next }
		NF && (guest || libraries) { print $1 }' "$root/packaging/packages.txt"
}

download() {
	local list
	mkdir -p "$scratch/debs/partial"
	readarray -t list < <(packages)
	nice apt-get install -q -y --no-install-recommends --download-only \
		-o "Dir::Cache::archives=$scratch/debs" "${list[@]}" >&2
}

# /bin, /sbin and /lib are links, as on every Debian 12; some packages still have files there.
unpack() {
	local package
	mkdir -p "$tree"/usr/{bin,sbin,lib}
	ln -s usr/bin usr/sbin usr/lib "$tree"
	for package in "$scratch"/debs/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -x -C "$tree" --keep-directory-symlink \
			--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
	done
}

# A link to /lib/... would leave the folder.
make_links_relative() {
	local link
	find "$tree" -type l -lname '/*' -print0 | while IFS= read -r -d '' link; do
		ln -sfrn "$tree$(readlink "$link")" "$link"
	done
}

# Emulated, every first import would take its time. Another version's files would only be ignored.
compile_python() {
	/usr/bin/python3 -m compileall -q -s "$tree" "$tree"/usr/lib/python3* >/dev/null ||
		say "some Python files cannot be compiled"
}

make_tree() {
	APT_CONFIG=$("$here/../apt-config.sh" arm64)
	export APT_CONFIG
	say "fetching packages for arm64"
	# The lists may be absent, or so old that they name files which are gone.
	download 2>/dev/null || {
		apt-get update -q >&2
		download
	}
	unpack
	make_links_relative
	compile_python
}

wanted=$cache/sysroot-$(packages | cat - "${BASH_SOURCE[0]}" | sha256sum | cut -c 1-12)
exec 9>"$cache/.lock"
flock 9
[ ! -d "$wanted" ] || { echo "$wanted"; exit; }
scratch=$(mktemp -d "$cache/.unpack.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$scratch/tree
make_tree
chmod 755 "$tree"
rm -rf "$cache"/sysroot-*
mv "$tree" "$wanted"
echo "$wanted"
