#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What `list` and `top` show, against ss, in a real terminal, on every way out. Needs root.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export STALESOCK=${STALESOCK:-$PWD/build/stalesock}

failed=0
for part in agreement.py list_test.py screens_test.py; do
	echo "--- $part"
	timeout 600 tests/support/defined-environment.sh /usr/bin/python3 "tests/terminal/$part" || failed=1
done
exit "$failed"
