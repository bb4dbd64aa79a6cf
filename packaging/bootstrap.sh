#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 to build/stalesock. Safe to run again: it installs only what is missing.
#
#   packaging/bootstrap.sh        install what the build needs, and build
#   packaging/bootstrap.sh demo   then show a stale reuse on loopback
#   packaging/bootstrap.sh tests  install what tests/run.sh needs too, and build the tests with
#                                 compiler warnings as errors
#   packaging/bootstrap.sh arm64  install what tests/vm needs for arm64, and build for it with a cross
#                                 compiler, into build-arm64
set -eu

# Debian's own tools first, whatever else is installed.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH
cd "$(dirname "$0")/.."

fail() {
	echo "bootstrap.sh: $*" >&2
	exit 1
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The packages of one section of packages.txt that are not installed.
missing_packages() {
	sed -n -e "/^\[$1\]/,/^\[/{/^\[/d;s/ *#.*//;/./p}" packaging/packages.txt |
		while read -r package; do
			is_installed "$package" || echo "$package"
		done
}

install_packages() {
	missing=$(missing_packages "$1" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	echo "bootstrap.sh: installing $missing"
	export DEBIAN_FRONTEND=noninteractive
	# The package lists may be absent, or so old that they name files which are gone: refresh them then.
	# shellcheck disable=SC2086 # one word for each package
	apt-get install -y -q --no-install-recommends $missing || {
		apt-get update -q
		apt-get install -y -q --no-install-recommends $missing
	}
}

configure() {
	CC=${CC:-/usr/bin/gcc-12} CXX=${CXX:-/usr/bin/g++-12} cmake --preset release --log-level=WARNING "$@"
}

[ $# -le 1 ] || fail "usage: packaging/bootstrap.sh [demo|tests|arm64]"
case ${1:-build} in
build | demo | tests | arm64) ;;
*) fail "usage: packaging/bootstrap.sh [demo|tests|arm64]" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "must run as root: it installs packages, and stalesock loads BPF programs"
command -v apt-get >/dev/null || fail "needs apt-get: this is written for Debian 12"

install_packages build
case ${1:-build} in
tests)
	install_packages tests
	configure -DSTALESOCK_WERROR=ON
	cmake --build --preset release
	;;
arm64)
	install_packages tests
	install_packages arm64
	tests/vm/arm64/build.sh
	;;
*)
	configure
	cmake --build --preset release --target stalesock
	;;
esac
if [ "${1:-build}" = demo ]; then
	exec build/stalesock demo
fi
