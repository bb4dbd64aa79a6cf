#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the Debian package of what is built, checks it with lintian and prints where it is.
#
#   packaging/deb/build.sh [FOLDER [VERSION]]
#
# FOLDER is by default build/deb. VERSION is for tests of upgrades, by default the project's own.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH LC_ALL=C
cd "$(dirname "$0")/../.."
[ $# -le 2 ] || { echo "usage: packaging/deb/build.sh [FOLDER [VERSION]]" >&2; exit 2; }
mkdir -p "${1:-build/deb}"
folder=$(cd "${1:-build/deb}" && pwd)

nice cmake --build --preset release --target stalesock stalesock-compressed >&2
scratch=$(mktemp -d "$folder/.build.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# Only the files of packaging/CMakeLists.txt are installed, and nothing is built again.
set -- ${2:+-D "CPACK_PACKAGE_VERSION=$2"}
(cd build && cpack -G DEB -B "$scratch" "$@" >"$scratch/log" 2>&1) || { cat "$scratch/log" >&2; exit 1; }
package=$(ls "$scratch"/*.deb)
lintian --fail-on error,warning "$package" >&2
mv "$package" "$folder"
echo "$folder/$(basename "$package")"
