#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a new user does, in new minimal systems: Debian with ca-certificates, and nothing else.
#
#   tests/fresh/run.sh [--build-only|--tests] [12|13]...    by default both releases, one after the other
#
#   (no option)    README's first command; then the package is made, and installed in a second new system
#   --build-only   only packaging/bootstrap.sh: is [build] of packages.txt all that the program needs?
#   --tests        README's second command too: every layer on 12; unit, runtime, oracle, daemon, terminal on 13
#
# The source tree is what was last committed. Needs root, mmdebstrap, and a kernel that allows BPF. A new system is
# kept for the day in build/vm-cache (or $STALESOCK_VM_CACHE). Logs: build/fresh-logs/RELEASE.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C.UTF-8
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${STALESOCK_VM_CACHE:-$root/build/vm-cache}
declare -rA names=([12]=bookworm [13]=trixie)
declare -rA layers=([12]="" [13]="unit runtime oracle daemon terminal")
work="" running=""

say() {
	echo "fresh: $*"
}

# Who lives in a system below $work: told by the root folder, whatever namespaces it has made.
inhabitants() {
	local link
	for link in /proc/[0-9]*/root; do
		[[ $(readlink "$link" 2>/dev/null) != "$work"/* ]] || basename "${link%/root}"
	done
}

end_inhabitants() {
	local pids
	for _ in {1..50}; do
		readarray -t pids < <(inhabitants)
		[ ${#pids[@]} -gt 0 ] || return 0
		kill -KILL "${pids[@]}" 2>/dev/null || true
		sleep 0.1
	done
	say "these do not end: ${pids[*]}" >&2
}

# What is mounted below $work is so in other mount namespaces only: here there is nothing to remove through.
clean_up() {
	[ -z "$running" ] || kill -KILL "$running" 2>/dev/null || true
	running=""
	[ -n "$work" ] || return 0
	end_inhabitants
	rm -rf --one-file-system "$work"
	work=""
}

# mirror SUITE DEFAULT: where the host itself has this suite from.
mirror() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
		awk -v suite="$1" -v otherwise="$2" '!found && $1 ~ suite { found = $2 } END { print found ? found : otherwise }'
}

make_system() {
	local name=$1 archive=$2 main security
	say "making a new $name"
	main=$(mirror '^[a-z]+$' http://deb.debian.org/debian) &&
		security=$(mirror -security http://deb.debian.org/debian-security) &&
		nice mmdebstrap --quiet --variant=minbase --include=ca-certificates "$name" "$work/new.tar" \
			"deb $main $name main" "deb $main $name-updates main" "deb $security $name-security main" &&
		rm -f "$cache/fresh-$name"-*.tar &&
		mv "$work/new.tar" "$archive"
}

# new_system NAME FOLDER
new_system() {
	local archive
	archive=$cache/fresh-$1-$(date +%F).tar
	(
		flock 9 # two at once make it one after the other
		[ -e "$archive" ] || make_system "$1" "$archive"
	) 9>"$cache/.fresh-lock" &&
		mkdir "$2" "$2/src" &&
		tar -xf "$archive" -C "$2" &&
		cp /etc/resolv.conf "$2/etc/resolv.conf"
}

# inside SYSTEM COMMAND...: as root in /src, with nothing of this environment. Process ids stay the host's: those are
# what BPF programs report.
inside() {
	local code=0
	# shellcheck disable=SC2016 # for the shells inside
	unshare --mount --fork --kill-child --propagation private -- bash -euc '
		system=$1
		shift
		mount -t proc proc "$system/proc"
		mount --rbind /sys "$system/sys"
		mount --rbind /dev "$system/dev"
		exec chroot "$system" env -i ${http_proxy:+"http_proxy=$http_proxy"} HOME=/root TERM=linux \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			nice sh -c "cd /src && exec \"\$@\"" - "$@"' - "$@" </dev/null &
	running=$!
	wait "$running" || code=$?
	running=""
	return "$code"
}

# step NAME SYSTEM COMMAND...: its output goes into a log. How long it took is said, and how long until the build began.
step() {
	local name=$1 log=$logs/$1.log ninja=$2/src/build/build.ninja started=$EPOCHSECONDS code=0 configured=0 split=""
	shift
	[ ! -e "$ninja" ] || ninja="" # it was built before
	inside "$@" >"$log" 2>&1 || code=$?
	if [ "$code" != 0 ]; then
		tail -n 40 "$log"
		say "Debian $release: $name FAILED with $code, see $log"
		return 1
	fi
	[ ! -e "$ninja" ] || configured=$(($(stat -c %Y "$ninja") - started))
	[ "$configured" -le 0 ] || split=", $configured of them until the build began"
	say "Debian $release: $name took $((EPOCHSECONDS - started)) s$split"
}

# The package that was made in $1, in a system that has never seen the source.
install_package() {
	local other=$work/other
	# shellcheck disable=SC2016 # for the shell inside
	new_system "$name" "$other" &&
		cp "$1"/src/build/deb/stalesock_*.deb "$other/src" &&
		step install "$other" sh -euxc '
			apt-get update -q
			DEBIAN_FRONTEND=noninteractive apt-get install -y -q ./stalesock_*.deb
			dpkg-query -W -f "\${Depends}\n" stalesock
			stalesock --version
			stalesock doctor' &&
		sed -n '/^+ dpkg-query/,$p' "$logs/install.log" &&
		rm -rf --one-file-system "$other"
}

run_tests() {
	local chosen code=0
	read -ra chosen <<<"${layers[$release]}"
	step tests "$1" tests/run.sh ${chosen[@]+"${chosen[@]}"} || code=1
	[ "$code" != 0 ] || grep -E '^[a-z0-9]+ +[0-9]+ s  ' "$logs/tests.log"
	return "$code"
}

try_release() {
	local system=$work/system name=${names[$release]}
	logs=$root/build/fresh-logs/$release
	rm -rf "$logs" && mkdir -p "$logs" &&
		new_system "$name" "$system" &&
		git -C "$root" archive HEAD | tar -x -C "$system/src" || return 1
	if [ "$mode" = --build-only ]; then
		step build "$system" packaging/bootstrap.sh
	else
		step demo "$system" packaging/bootstrap.sh demo &&
			step package "$system" packaging/bootstrap.sh package &&
			install_package "$system" &&
			{ [ "$mode" != --tests ] || run_tests "$system"; }
	fi
}

usage() {
	sed -n '5,9s/^# *//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

mode=""
case ${1:-} in
--build-only | --tests)
	mode=$1
	shift
	;;
esac
releases=("$@")
[ $# -gt 0 ] || releases=(12 13)
for release in "${releases[@]}"; do
	[ -n "${names[$release]:-}" ] || usage
done
[ "$(id -u)" -eq 0 ] || { say "must run as root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { say "there is no mmdebstrap: packaging/bootstrap.sh tests installs it" >&2; exit 1; }
mkdir -p "$cache"
cache=$(cd "$cache" && pwd -P)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
failed=0
for release in "${releases[@]}"; do
	work=$(mktemp -d "$cache/.fresh.XXXXXX")
	chmod 755 "$work"
	try_release || failed=1
	clean_up
done
exit "$failed"
