#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command whose environment is what this file says, whoever starts it and from where: no options for Java, Go or
# Python, no proxy, no home with a .curlrc, no locale and no service manager's variables reach a program under test.
#
#   tests/support/defined-environment.sh COMMAND [ARGUMENT...]
#
# What is named STALESOCK... is for the tests themselves, and is handed on.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(cd "$(dirname "$0")" && pwd)

# The names only: a value can hold anything, lines too.
for name in $(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^STALESOCK[A-Z0-9_]*$/) print name }'); do
	eval "value=\$$name"
	set -- "$name=$value" "$@"
done
exec env -i PATH="$PATH" HOME=/nonexistent LC_ALL=C.UTF-8 TZ=UTC TERM=dumb \
	OPENSSL_CONF="$here/openssl.cnf" "$@"
