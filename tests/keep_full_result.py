#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the last result of each layer of `tests/run.sh full` in tests/full-results.md.

usage: keep_full_result.py LAYER SECONDS RESULT LOG
"""
import datetime
import re
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "full-results.md"
HEADER = """\
# The last full run

`tests/run.sh full` runs before a release and before a change of a BPF program lands. Each layer of it leaves its last result here.

| layer | date | commit | seconds | result | numbers |
|---|---|---|---|---|---|
"""
# What a layer's log says of how much was tested, the last of each kind.
NUMBERS = (
	r"\d+% tests passed, \d+ tests failed out of \d+",
	r"All tests passed \(.*\)",
	r"\d+ cases, \d+ failed, \d+ skipped",
	r"oracle: seed \d+, \d+ connections",
	r"^stale_reuse .* % +[\d.]+ %$",
	r"^reuse_race .* % +[\d.]+ %$",
	r"^\S+ +\d+ s +ok.*$",
)


def git(*arguments):
	return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, cwd=RESULTS.parent).stdout.strip()


def commit():
	changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", f":!{RESULTS.name}")
	return git("rev-parse", "--short", "HEAD") + (", changed" if changed else "")


def numbers(log):
	text = Path(log).read_text(encoding="utf-8", errors="replace")
	found = [list(re.finditer(pattern, text, re.MULTILINE)) for pattern in NUMBERS]
	return "; ".join(" ".join(matches[-1].group().split()) for matches in found if matches).replace("|", "/")


def main():
	layer, seconds, result, log = sys.argv[1:]
	rows = {}
	if RESULTS.exists():
		for line in RESULTS.read_text(encoding="utf-8").splitlines():
			if re.match(r"\| [a-z0-9]+ \| \d", line):
				rows[line.split(" | ")[0][2:]] = line
	today = datetime.date.today().isoformat()
	rows[layer] = f"| {layer} | {today} | {commit()} | {seconds} | {result.replace('|', '/')} | {numbers(log)} |"
	RESULTS.write_text(HEADER + "".join(f"{row}\n" for row in rows.values()), encoding="utf-8")


if __name__ == "__main__":
	main()
