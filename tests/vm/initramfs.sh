#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes the uncompressed initramfs of a guest; part of run.sh.
#
#   initramfs.sh KERNEL JOB OUTPUT [PATH...]
#
# KERNEL is a folder of fetch.sh. JOB is a folder that becomes /job. The other PATHs keep their place:
# those of the source tree under /stalesock, the others under /. For an arm64 kernel build/ is
# build-arm64/, and programs come from arm64/sysroot.sh.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)

readonly programs=(bash bpftool busybox dash ip kmod nsenter python3 setpriv ss tc unshare)
readonly optional_programs=(curl nft openssl strace tcpdump)
readonly from_tree=(build/stalesock build/tests/runtime/stalesock-runtime-tests
	build/tests/oracle/stalesock-oracle packaging/schema tests/e2e tests/golden)
readonly python_packages=(python3-jsonschema python3-attr python3-pyrsistent)

fail() {
	echo "initramfs.sh: $*" >&2
	exit 1
}

make_skeleton() {
	mkdir -p "$tree"/{usr/bin,usr/sbin,usr/lib,usr/lib64,dev,etc,job,proc,results,root,run,sys,tmp,var,stalesock}
	ln -s usr/bin "$tree/bin"
	ln -s usr/sbin "$tree/sbin"
	ln -s usr/lib "$tree/lib"
	ln -s usr/lib64 "$tree/lib64"
	ln -s ../run "$tree/var/run"
	chmod 1777 "$tree/tmp"
	echo 'root:x:0:0:root:/root:/bin/bash' >"$tree/etc/passwd"
	printf 'nobody:x:65534:65534:nobody:/:/bin/false\nwww-data:x:33:33:www-data:/:/bin/false\n' >>"$tree/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\n' >"$tree/etc/group"
	printf '127.0.0.1 localhost guest\n::1 localhost\n' >"$tree/etc/hosts"
	echo 00000000000000000000000000000001 >"$tree/etc/machine-id"
}

# A file or folder of the host to a place in the guest.
add() {
	mkdir -p "$tree$(dirname "$2")"
	cp -rL --preserve=mode,timestamps "$1" "$tree$2"
	added+=("$1")
}

add_from_host() {
	add "$host$1" "$1"
}

add_program() {
	local path
	path=$(PATH=${host:+$host/usr/sbin:$host/usr/bin:}$PATH type -P "$1") || return 1
	[[ $path == "$host"/* ]] || return 1
	add_from_host "${path#"$host"}"
}

add_programs() {
	local name
	for name in "${programs[@]}"; do
		add_program "$name" || fail "there is no $name on this host; see [tests] in packaging/packages.txt"
	done
	for name in "${optional_programs[@]}"; do
		add_program "$name" || true
	done
	ln -s dash "$tree/usr/bin/sh"
	ln -s ../bin/kmod "$tree/usr/sbin/modprobe"
}

# With what was compiled before, or every import would be compiled in the guest.
add_python() {
	local library package path
	library=/usr/lib/$(basename "$(readlink -f "$host/usr/bin/python3")")
	add_from_host "$library"
	rm -rf "$tree$library"/{config-*,ensurepip,idlelib,lib2to3,pydoc_data,test,tkinter,sitecustomize.py}
	[ -z "$host" ] || { add_from_host /usr/lib/python3/dist-packages; return; }
	for package in "${python_packages[@]}"; do
		for path in $(dpkg -L "$package" | grep -x '/usr/lib/python3/dist-packages/[^/]*'); do
			add "$path" "$path"
		done
	done
}

add_from_tree() {
	local path
	[ -x "$source_root/$build/stalesock" ] || fail "there is no $build/stalesock: build first"
	for path in "${from_tree[@]}"; do
		[ ! -e "$(built "$path")" ] || add "$(built "$path")" "/stalesock/$path"
	done
}

# Where a path of the source tree is for the guest's architecture.
built() {
	case $1 in
	build/*) echo "$source_root/$build/${1#build/}" ;;
	*) echo "$source_root/$1" ;;
	esac
}

add_asked() {
	local path=${1#"$source_root"/} place=$1
	if [[ $path != /* ]]; then
		place=/stalesock/$path
		path=$(built "$path")
	fi
	[ -e "$path" ] || fail "there is no $path"
	add "$path" "$place"
}

elf_files() {
	find -L "${added[@]}" -type f \( -perm /111 -o -name '*.so*' \) -print0 |
		xargs -0 grep -lZ -m 1 -a $'^\x7fELF' || true
}

# The libraries of everything added so far, the host's own: ldd fails on what is static and tells it in
# words.
add_libraries() {
	local path
	[ -z "$host" ] || { add_foreign_libraries; return; }
	{ elf_files | xargs -0 ldd 2>/dev/null || true; } |
		awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' |
		sort -u >"$scratch/libraries"
	while read -r path; do
		[ -e "$tree$path" ] || add "$path" "$path"
	done <"$scratch/libraries"
}

needed() {
	{ xargs -0 readelf -d 2>/dev/null || true; } | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort -u
}

# ldd runs what it is asked about, which does for the host's architecture only. The kernel wants the
# loader under its own name.
add_foreign_libraries() {
	local names name path
	names=$(elf_files | needed)
	added=()
	add_from_host /usr/lib/ld-linux-aarch64.so.1
	while [ "${#added[@]}" -gt 0 ]; do
		added=()
		for name in $names; do
			path=/usr/lib/aarch64-linux-gnu/$name
			[ ! -e "$tree$path" ] || continue
			[ -e "$host$path" ] || fail "there is no $path for arm64; see [arm64-guest] in packaging/packages.txt"
			add_from_host "$path"
		done
		names=$(printf '%s\0' "${added[@]}" | needed)
	done
}

# Module files of modules.txt and all that they depend on.
module_files() {
	local mark name
	sed 's/ *#.*//;/./!d' "$here/modules.txt" | while read -r mark name; do
		[ -n "$name" ] || { name=$mark; mark=needed; }
		[[ $mark == needed || $mark == optional ]] || fail "modules.txt: '$mark $name'"
		modprobe -d "$kernel" -S "$release" --show-depends "$name" 2>"$scratch/said" || [ "$mark" = optional ] ||
			fail "kernel $release has no module $name: $(cat "$scratch/said")"
	done | awk '$1 == "insmod" { print $2 }' | sort -u
}

add_modules() {
	local path guest files
	files=$(module_files)
	for path in $files; do
		guest=$tree/lib/modules/${path##*/lib/modules/}
		mkdir -p "$(dirname "$guest")"
		case $path in
		*.xz) xz -dc "$path" >"${guest%.xz}" ;;
		*) cp "$path" "$guest" ;;
		esac
	done
	cp "$kernel/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$tree/lib/modules/$release"
	depmod -b "$tree" "$release"
}

write_archive() {
	(cd "$tree" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --quiet) >"$1"
}

[ $# -ge 3 ] || fail "usage: initramfs.sh KERNEL JOB OUTPUT [PATH...]"
kernel=$1 job=$2 output=$3
shift 3
release=$(basename "$kernel"/lib/modules/*)
host="" build=build # where programs come from, and what was built
if [[ $release == *-arm64 ]]; then
	host=$("$here/arm64/sysroot.sh") || fail "there is nothing of arm64 to take programs from"
	build="build-arm64"
fi
readonly host build
scratch=$(mktemp -d "$(dirname "$output")/.initramfs.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$scratch/tree
added=()

make_skeleton
add_programs
add_python
add_from_tree
for path in "$@"; do
	add_asked "$path"
done
add_libraries
add_modules
cp -r "$job"/. "$tree/job"
install -m 755 "$here/guest-init.sh" "$tree/init"
write_archive "$output"
