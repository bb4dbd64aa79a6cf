#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 or 13 to build/stalesock. Safe to run again: it installs only what is missing.
#
#   packaging/bootstrap.sh          install what the build needs, and build
#   packaging/bootstrap.sh demo     then show a stale reuse on loopback
#   packaging/bootstrap.sh package  then make the Debian package, for this release of Debian
#   packaging/bootstrap.sh tests    install what tests/run.sh needs too, and build the tests with
#                                   compiler warnings as errors
#   packaging/bootstrap.sh arm64    install what tests/vm needs for arm64, and build for it with a cross
#                                   compiler, into build-arm64
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

# Elsewhere packages have other names and other versions.
check_release() {
	name=unknown
	# shellcheck source=/dev/null
	[ ! -r /etc/os-release ] || name=$(. /etc/os-release && echo "${PRETTY_NAME:-$ID}")
	case $name in
	"Debian GNU/Linux 12"* | "Debian GNU/Linux 13"*) ;;
	*) fail "installs packages on Debian 12 and 13 only, and this system is $name; by their Debian names" \
		"there are missing: $missing" ;;
	esac
}

install_packages() {
	missing=$(missing_packages "$1" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	check_release
	echo "bootstrap.sh: installing $missing"
	export DEBIAN_FRONTEND=noninteractive
	# The package lists may be absent, or so old that they name files which are gone: refresh them then.
	# shellcheck disable=SC2086 # one word for each package
	{
		apt-cache show $missing >/dev/null 2>&1 || apt-get update -q
		apt-get install -y -q --no-install-recommends $missing || {
			apt-get update -q
			apt-get install -y -q --no-install-recommends $missing
		}
	}
}

# The release's own compiler. A folder that was configured for something else before is told again what to build.
configure() {
	CC=${CC:-/usr/bin/gcc} CXX=${CXX:-/usr/bin/g++} cmake --preset release --log-level=WARNING "$@"
}

usage="usage: packaging/bootstrap.sh [demo|package|tests|arm64]"
[ $# -le 1 ] || fail "$usage"
case ${1:-build} in
build | demo | package | tests | arm64) ;;
*) fail "$usage" ;;
esac
[ "$(id -u)" -eq 0 ] || fail "must run as root: it installs packages, and stalesock loads BPF programs"

install_packages build
case ${1:-build} in
tests)
	install_packages package
	install_packages tests
	configure -DSTALESOCK_TESTS=ON -DSTALESOCK_WERROR=ON
	cmake --build --preset release
	;;
arm64)
	install_packages tests
	install_packages arm64
	tests/vm/arm64/build.sh
	;;
*)
	configure -DSTALESOCK_TESTS=OFF
	cmake --build --preset release --target stalesock
	;;
esac
case ${1:-build} in
demo) exec build/stalesock demo ;;
package)
	install_packages package
	exec packaging/deb/build.sh
	;;
esac
