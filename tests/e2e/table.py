#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""README's table of what applications print and what stalesock says of it, from the cases' results.

usage: table.py [--write README.md | --check README.md]

Prints a row for each of build/e2e-results, which tests/e2e/run.sh leaves there (STALESOCK_E2E_RESULTS names another
folder). With --write the file's table is replaced. With --check it is an error when the table differs in more than
numbers (times, ports, process ids, what had been learned by then), has a row without a result, or lacks one; but see Lab.row of what chance brings.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path

BEGIN, END = "<!-- symptoms: made by tests/e2e/table.py -->", "<!-- end of symptoms -->"
HEADER = """\
| system | what its log or exception says | what stalesock says | setting |
|---|---|---|---|"""
RESULTS = Path(os.environ.get("STALESOCK_E2E_RESULTS", Path(__file__).parents[2] / "build" / "e2e-results"))
# Who holds the other end is said when it is known in time, and a timeout when enough closes agree.
OTHER_END = re.compile(r"; the other end is on this host: [^|;`]*")
LEARNED = re.compile(r"; that server closes [^|;`]*?[(][^)]*[)]")
BY_CHANCE = " | <!-- not in every run -->"  # the end of a row
NUMBER = re.compile(r"\d+([.]\d+)?( (ms|s)\b)?")


def cell(text):
    """On one line, and with no column of its own."""
    return " ".join(text.split()).replace("|", "\\|") or "-"


def code(text):
    return f"`{text}`" if text else ""


def row_of(result):
    said = f"`{result['verdict']}`: {OTHER_END.sub('', result['message'])}"
    cells = (result["system"], code(result["symptom"]), said, code(result["setting"]))
    return "| " + " | ".join(map(cell, cells)) + (BY_CHANCE if result.get("by_chance") else " |")


def rows():
    results = [result for path in sorted(RESULTS.glob("*.json")) for result in json.loads(path.read_text(encoding="utf-8"))]
    return [row_of(result) for result in sorted(results, key=lambda result: result["system"].lower())]


def essence(row):
    """What has to be the same in README: of what chance brings, the system and the verdict."""
    if row.endswith(BY_CHANCE):
        system, _, said = row.split(" | ")[:3]
        return system, said.split(":")[0]
    return NUMBER.sub("N", LEARNED.sub("", row))


def table_in(text, path):
    """Where the table begins and ends."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        sys.exit(f"table.py: {path} has no line {BEGIN!r} with {END!r} after it")
    return begin + len(BEGIN), end


def rows_in(text):
    return [line for line in text.splitlines() if line and line not in HEADER.splitlines()]


def write(path, found):
    """What chance has not brought this time stays."""
    text = path.read_text(encoding="utf-8")
    begin, end = table_in(text, path)
    present = {essence(row) for row in found}
    kept = [row for row in rows_in(text[begin:end]) if row.endswith(BY_CHANCE) and essence(row) not in present]
    table = "\n".join(["", "", HEADER, *sorted(found + kept, key=lambda row: row.split(" | ")[0].lower()), "", ""])
    path.write_text(text[:begin] + table + text[end:], encoding="utf-8")


def differences(path, found):
    text = path.read_text(encoding="utf-8")
    begin, end = table_in(text, path)
    expected, present = ({essence(row): row for row in some} for some in (found, rows_in(text[begin:end])))
    yield from (f"lacks: {row}" for key, row in expected.items() if key not in present and not row.endswith(BY_CHANCE))
    yield from (f"has no result for: {row}" for key, row in present.items()
                if key not in expected and not row.endswith(BY_CHANCE))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--write", type=Path, metavar="README.md")
    action.add_argument("--check", type=Path, metavar="README.md")
    arguments = parser.parse_args()
    found = rows()
    if not found:
        print(f"table.py: no results in {RESULTS}", file=sys.stderr)
        return 1
    if arguments.write:
        write(arguments.write, found)
        return 0
    if arguments.check:
        wrong = list(differences(arguments.check, found))
        for line in wrong:
            print(f"{arguments.check} {line}", file=sys.stderr)
        return 1 if wrong else 0
    print(HEADER, *found, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
