#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""README's table of kernels, from test results.

usage: kernels_table.py [--check README.md] [KERNEL...]

Prints one row for each kernel and class that was tested, from what tests/vm/matrix.sh leaves in
build/vm-logs. With --check, a row that the file does not contain is an error. What ran as `newest` is named by its
release, 7.3 for example; one of which the file has no row at all came after the file was written, which is only said.
"""
import argparse
import json
import re
import sys
from pathlib import Path

HEADER = """\
| kernel | hooks | write after FIN | writer, time, first bytes | EOF read | EOF read by splice | verdicts against the capture |
|---|---|---|---|---|---|---|"""
CLASSES = ("automatic", "tracepoint", "trampoline", "none")
MECHANISMS = {
	"automatic": ("tp_btf", "fentry", "fexit", "iter"),
	"tracepoint": ("tp_btf", "iter"),
	"trampoline": ("fentry", "fexit", "iter"),
	"none": ("iter",),
}
NEEDS = ("write after FIN", "payload head", "EOF read", "EOF read by splice")
EXACT = ("stale_reuse", "reuse_race")
SKIPS = "oracle: the kernel is expected to skip runs"


def serving(report, need, choice):
	"""The hook that serves a need when a class is forced, as user/probe/hooks.cpp chooses it."""
	for hook in report["hooks"]:
		mechanism = hook["hook"].split("/")[0]
		if hook["need"] == need and hook["available"] and mechanism in MECHANISMS[choice]:
			return hook["hook"]
	return None


def cell(hook):
	if hook is None:
		return "no"
	return "by scan, within 10 s" if hook == "iter/tcp" else f"`{hook}`"


def percentages(log, verdict):
	found = re.search(rf"^{verdict} .*?([\d.]+) %\s+([\d.]+) %$", log, re.MULTILINE)
	return found.groups() if found else None


def judged(folder, head):
	"""What the oracle's run says, in words; None when it did not pass. `head` is the hook that sees the head of a write."""
	log = (folder / "output.log").read_text(errors="replace")
	if not re.search(r"^oracle: passed", log, re.MULTILINE):
		return None
	shares = [percentages(log, verdict) for verdict in EXACT]
	if head and SKIPS in log and all(share and share[0] == "100.00" for share in shares):
		return "100 % precision; a verdict can be missing: the kernel skips runs of programs, counted as `missed`"
	if all(share == ("100.00", "100.00") for share in shares):
		return "`stale_reuse` and `reuse_race` 100 % precision and recall"
	return "what was written is guessed: never `certain`"


def rows(logs, kernels):
	for doctor in sorted(logs.glob("*-doctor/doctor.json"), key=lambda path: version_key(path)):
		report = json.loads(doctor.read_text(encoding="utf-8"))
		kernel = doctor.parent.name.removesuffix("-doctor")
		if kernels and kernel not in kernels:
			continue
		name = ".".join(report["release"].split(".")[:2]) if kernel == "newest" else kernel
		for choice in CLASSES:
			folder = logs / f"{kernel}-oracle-{choice}"
			if not folder.is_dir():
				continue
			verdicts = judged(folder, serving(report, "payload head", choice))
			if verdicts is None:
				sys.exit(f"kernels_table.py: the oracle did not pass in {folder}")
			hooks = f"{report['hook_class']} (automatic)" if choice == "automatic" else f"`--hooks {choice}`"
			cells = [cell(serving(report, need, choice)) for need in NEEDS]
			yield kernel, "| " + " | ".join([name, hooks, *cells, verdicts]) + " |"


def version_key(path):
	if path.parent.name.startswith("newest"):
		return [sys.maxsize]
	return [int(part) for part in re.findall(r"\d+", path.parent.name)]


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--check", type=Path)
	parser.add_argument("kernels", nargs="*")
	arguments = parser.parse_args()
	found = list(rows(Path("build/vm-logs"), arguments.kernels))
	if not arguments.check:
		print(HEADER, *(row for _, row in found), sep="\n")
		return 0
	text = arguments.check.read_text(encoding="utf-8")
	missing = False
	for kernel, row in found:
		if row in text:
			continue
		first_cell = row[: row.index("|", 1) + 1]
		if kernel == "newest" and f"\n{first_cell}" not in text:
			print(f"{arguments.check} has no rows for the newest kernel: {row}")
		else:
			missing = True
			print(f"{arguments.check} lacks: {row}", file=sys.stderr)
	return 1 if missing or not found else 0


if __name__ == "__main__":
	sys.exit(main())
