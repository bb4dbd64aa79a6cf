#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the name of a configuration with which apt knows arm64 packages only, from the Debian mirrors that
# this host uses: `APT_CONFIG=$(tests/vm/arm64/apt-config.sh) apt-get ...`. Its lists and its status are its
# own, in build/vm-cache/arm64 (or $STALESOCK_VM_CACHE/arm64): the host's are not touched.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH LC_ALL=C
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
mkdir -p "${STALESOCK_VM_CACHE:-$root/build/vm-cache}/arm64/apt"
folder=$(cd "${STALESOCK_VM_CACHE:-$root/build/vm-cache}/arm64/apt" && pwd)

# The host's own lists say which of its sources are Debian's.
write_sources() {
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
		sort -u >"$folder/sources.list.new"
	[ -s "$folder/sources.list.new" ] || return 1
	mv "$folder/sources.list.new" "$folder/sources.list"
}

write_config() {
	cat >"$folder/apt.conf.$$" <<-END
		APT::Architecture "arm64";
		APT::Architectures { "arm64"; };
		APT::Sandbox::User "root";
		Dir::State "$folder/state";
		Dir::State::status "$folder/status";
		Dir::Cache "$folder/cache";
		Dir::Etc::sourcelist "$folder/sources.list";
		Dir::Etc::sourceparts "-";
	END
	mv "$folder/apt.conf.$$" "$folder/apt.conf"
}

mkdir -p "$folder"/{state/lists,cache/archives}/partial
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
