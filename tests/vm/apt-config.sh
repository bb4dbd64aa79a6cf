#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the name of a configuration with which apt knows one architecture's packages only:
#
#   APT_CONFIG=$(tests/vm/apt-config.sh ARCHITECTURE [SUITE]) apt-get ...
#
# With SUITE it reads that suite of Debian and no other, whatever suites the host has; without, those that the
# host has. Packages come from the Debian mirrors that the host uses. Lists and status are its own, in
# build/vm-cache/apt (or $STALESOCK_VM_CACHE/apt): the host's are not touched.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
architecture=$1 suite=${2:-}
mkdir -p "${STALESOCK_VM_CACHE:-$root/build/vm-cache}/apt/$architecture${suite:+-$suite}"
folder=$(cd "${STALESOCK_VM_CACHE:-$root/build/vm-cache}/apt/$architecture${suite:+-$suite}" && pwd)

# The host's own lists say which of its sources are Debian's.
debian_targets() {
	local format=$1
	shift
	apt-get indextargets --format "$format" 'Created-By: Packages' "$@" | sort -u
}

# Security updates have a mirror of their own.
sources() {
	local label=Debian mirror
	# shellcheck disable=SC2016 # apt fills these in
	[ -n "$suite" ] || { debian_targets 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Origin: Debian'; return; }
	[[ $suite != *-security ]] || label=Debian-Security
	# shellcheck disable=SC2016
	mirror=$(debian_targets '$(REPO_URI)' 'Origin: Debian' "Label: $label" | head -n 1)
	[ -z "$mirror" ] || echo "deb [signed-by=$keyring] $mirror $suite main"
}

write_sources() {
	sources >"$folder/sources.list.new"
	[ -s "$folder/sources.list.new" ] || return 1
	mv "$folder/sources.list.new" "$folder/sources.list"
}

write_config() {
	cat >"$folder/apt.conf.$$" <<-END
		APT::Architecture "$architecture";
		APT::Architectures { "$architecture"; };
		APT::Sandbox::User "root";
		APT::Default-Release "";
		Acquire::Languages "none";
		Dir::State "$folder/state";
		Dir::State::status "$folder/status";
		Dir::Cache "$folder/cache";
		Dir::Etc::sourcelist "$folder/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::Etc::preferences "$folder/preferences";
		Dir::Etc::preferencesparts "$folder/preferences.d";
	END
	mv "$folder/apt.conf.$$" "$folder/apt.conf"
}

mkdir -p "$folder"/{{state/lists,cache/archives}/partial,preferences.d}
touch "$folder/status"
write_sources || {
	apt-get update -q >&2 || true
	write_sources || [ -e "$folder/sources.list" ] || {
		echo "apt-config.sh: apt knows no Debian mirror" >&2
		exit 1
	}
}
write_config
echo "$folder/apt.conf"
