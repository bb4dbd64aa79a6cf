#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian package of what is built, checks it with lintian where that is installed, and prints where
# the package is. Its dependencies are those of the release of Debian that it is built on.
#
#   packaging/bootstrap.sh package                              installs what this needs and runs it
#   packaging/deb/build.sh [--need-lintian] [FOLDER [VERSION]]
#
# FOLDER is by default build/deb. VERSION is for tests of upgrades, by default the project's own.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH LC_ALL=C
cd "$(dirname "$0")/../.."

fail() {
	echo "build.sh: $*" >&2
	exit 1
}

need_lintian=no
[ "${1:-}" != --need-lintian ] || { need_lintian=yes; shift; }
[ $# -le 2 ] || { echo "usage: packaging/deb/build.sh [--need-lintian] [FOLDER [VERSION]]" >&2; exit 2; }
[ -e build/CMakeCache.txt ] || fail "nothing is built; as root, packaging/bootstrap.sh package builds both"
for needed in dpkg-shlibdeps:dpkg-dev file:file; do
	command -v "${needed%:*}" >/dev/null ||
		fail "there is no ${needed%:*}; as root, apt-get install ${needed#*:}"
done
[ $need_lintian = no ] || command -v lintian >/dev/null || fail "there is no lintian; as root, apt-get install lintian"
mkdir -p "${1:-build/deb}"
folder=$(cd "${1:-build/deb}" && pwd)

nice cmake --build --preset release --target stalesock stalesock-compressed >&2
scratch=$(mktemp -d "$folder/.build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# Only the files of packaging/CMakeLists.txt are installed, and nothing is built again.
set -- ${2:+-D "CPACK_PACKAGE_VERSION=$2"}
(cd build && cpack -G DEB -B "$scratch" "$@" >"$scratch/log" 2>&1) || { cat "$scratch/log" >&2; exit 1; }
package=$(ls "$scratch"/*.deb)
if command -v lintian >/dev/null; then
	lintian --fail-on error,warning "$package" >&2
else
	echo "build.sh: skipped the check of the package: lintian is not installed" >&2
fi
mv "$package" "$folder"
echo "$folder/$(basename "$package")"
