#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Validates the lines of `stalesock peers --json` against their schema, and the schema against what it must refuse.

    validate_peers.py SCHEMA FILE...
"""

import json
import sys

import jsonschema  # Debian: python3-jsonschema

from validate_golden import changed, closed, faults_of_coverage

# Values that no line may have, where the field is.
BROKEN = [
    ("endpoint", "10.0.0.7"),
    ("role", "peer"),
    ("netns", 0),
    ("last_seen", "2026-11-21 02:40:00"),
    ("idle_timeout.ms", "5 s"),
    ("idle_timeout.observations", 2),
    ("idle_timeout.spread_ms", -1),
    ("pool_limit_ms", 0),
    ("request_limit.requests", 0),
    ("verdicts.idle_close", 0),
    ("longest_reuse.command", ""),
    ("near_misses", -1),
    ("advice", ""),
    ("idle_closes", "4"),
]


def faults(schema, lines):
    strict = jsonschema.Draft202012Validator(closed(schema))
    loose = jsonschema.Draft202012Validator(schema)
    for where, line in lines:
        for fault in strict.iter_errors(line):
            yield f"{where}: {fault.json_path}: {fault.message}"
        if not loose.is_valid({**line, "a_field_of_the_future": 1}):
            yield f"{where}: refuses a new field"
        for field in schema["$defs"][line["role"]]["required"]:
            if loose.is_valid(changed(line, (field,), None)):
                yield f"{where}: valid without {field}, which is required"
    for path, value in BROKEN:
        tried = 0
        for _, line in lines:
            *outer, last = path.split(".")
            place = line
            for name in outer:
                place = place.get(name, {})
            if last in place:
                tried += 1
                if loose.is_valid(changed(line, path.split("."), value)):
                    yield f"accepts {path} = {value!r}"
        if not tried:
            yield f"no line to try {path} = {value!r} on"
    for name in ("remote", "listener"):
        of_role = [line for line in lines if line[1]["role"] == name]
        always = set.intersection(*(set(line) for _, line in of_role))
        if always != set(schema["$defs"][name]["required"]):
            yield f"{name}: always there: {sorted(always)}"
    yield from faults_of_coverage(schema, lines)


def main(schema_path, *files):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    lines = []
    for name in files:
        with open(name, encoding="ascii") as file:
            lines += [(f"{name}:{number}", json.loads(line)) for number, line in enumerate(file, 1)]
    if not lines:
        sys.exit("no lines to validate")
    found = list(faults(schema, lines))
    print("\n".join(found) or f"{len(lines)} lines are valid")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
