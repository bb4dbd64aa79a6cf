#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything for arm64 with a cross compiler, into build-arm64; run.sh VERSION-arm64 takes it from there.
#
#   packaging/bootstrap.sh arm64              installs what this needs and runs it
#   tests/vm/arm64/build.sh [TARGET...]
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."

for program in aarch64-linux-gnu-g++-12 bpftool clang cmake ninja pkg-config; do
	command -v "$program" >/dev/null || {
		echo "build.sh: there is no $program on this host: run packaging/bootstrap.sh arm64" >&2
		exit 1
	}
done
sysroot=$("$here/sysroot.sh")
# A new sysroot is a new place for every library: nothing found before holds.
fresh=()
grep -qsx "CMAKE_SYSROOT:[A-Z]*=$sysroot" build-arm64/CMakeCache.txt || fresh=(--fresh)
cmake --preset release "${fresh[@]}" -B build-arm64 --log-level=WARNING -DSTALESOCK_WERROR=ON \
	-DCMAKE_TOOLCHAIN_FILE="$here/toolchain.cmake" -DCMAKE_SYSROOT="$sysroot"
nice -n 10 cmake --build build-arm64 ${1+--target "$@"}
