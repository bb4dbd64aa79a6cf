#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Validates JSON lines against a schema, and the schema against what it must refuse.

    validate_golden.py SCHEMA FILE...
"""

import copy
import json
import sys

import jsonschema  # Debian: python3-jsonschema

# Values that no line may have: kind of line, path of the field, value.
BROKEN = [
    ("verdict", "time", "2026-11-21T02:40:00.123Z"),
    ("verdict", "time", "2026-11-21 02:40:00.123456Z"),
    ("verdict", "time", "2026-11-21T02:40:00.123456+00:00"),
    ("verdict", "time", 1795315200),
    ("verdict", "verdict", "stale"),
    ("verdict", "severity", "fatal"),
    ("verdict", "confidence", 1),
    ("verdict", "id", ""),
    ("verdict", "advice", ""),
    ("verdict", "event", "open"),
    ("verdict", "record", "lost"),
    ("verdict", "connection.cookie", -1),
    ("verdict", "connection.cookie", "7"),
    ("verdict", "connection.family", "inet"),
    ("verdict", "connection.remote", "10.0.0.7"),
    ("verdict", "connection.remote", "10.0.0.256:80"),
    ("verdict", "connection.remote", "::1:80"),
    ("verdict", "connection.remote", "[::ffff:10.0.0.7]:80"),
    ("verdict", "connection.local", ""),
    ("verdict", "connection.role", "unknown"),
    ("verdict", "connection.state", "UNKNOWN"),
    ("verdict", "connection.netns", 0),
    ("verdict", "connection.age_ms", -0.1),
    ("verdict", "owner.pid", 0),
    ("verdict", "owner.source", "guess"),
    ("verdict", "evidence.idle_ms", "unknown"),
    ("verdict", "evidence.idle_ms", -1),
    ("verdict", "evidence.bytes_after_fin", 1.5),
    ("verdict", "evidence.eof_read", 0),
    ("verdict", "evidence.late_head", "http"),
    ("verdict", "evidence.turns", -1),
    ("verdict", "peer", {"idle_timeout_ms": 2000.4}),
    ("verdict", "peer", {"idle_timeout_ms": 2000.4, "spread_ms": 1.2, "observations": 2}),
    ("verdict", "peer", {"idle_timeout_ms": 2000.4, "spread_ms": -1.2, "observations": 3}),
    ("verdict", "peer", {"idle_timeout_ms": "2.00 s", "spread_ms": 1.2, "observations": 3}),
    ("event", "event", "unknown"),
    ("event", "shutdown", 4),
    ("event", "error", 0),
    ("event", "orphan", False),
    ("event", "old_state", "UNKNOWN"),
    ("event", "actor", {"pid": 1}),
    ("event", "verdict", "stale_reuse"),
    ("event", "cgroup_id", 0),
    ("collapsed", "collapsed.count", 0),
    ("collapsed", "collapsed.shown", 0),
    ("collapsed", "collapsed.verdict", "stale"),
    ("collapsed", "collapsed.since", "yesterday"),
    ("collapsed", "collapsed.last_id", ""),
    ("collapsed", "collapsed.owner.pid", 0),
    ("collapsed", "verdict", "stale_reuse"),
    ("record", "record", "end"),
    ("record", "gaps", "none"),
    ("record", "gaps", [""]),
    ("record", "version", 1),
    ("record", "kernel", 618),
    ("record", "existing_sockets", -1),
    ("record", "lost", {"dropped": 1}),
]


def closed(schema):
    """The same schema, where no object may have a field that is not described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(value) for name, value in schema.items()}
    if result.get("type") == "object" and "properties" in result:
        result["additionalProperties"] = False
    return result


def changed(line, path, value):
    """A copy with one field set, or None where the object around it is not there."""
    result = copy.deepcopy(line)
    place = result
    *outer, last = path
    for name in outer:
        place = place.get(name)
        if not isinstance(place, dict):
            return None
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


def objects(schema, line):
    """Every object of a line: its path, itself, the name and the text of its definition."""
    kind = next((name for name in ("verdict", "collapsed", "event") if name in line), None)
    kind = kind or line["record"]

    def walk(name, definition, value, prefix):
        if "$ref" in definition:
            name = definition["$ref"].split("/")[-1]
            definition = schema["$defs"][name]
        yield prefix, value, name, definition
        for field, inner in definition.get("properties", {}).items():
            if isinstance(value.get(field), dict):
                yield from walk(f"{name}.{field}", inner, value[field], prefix + (field,))

    yield from walk(kind, {"$ref": "#/$defs/" + kind}, line, ())


def described_fields(schema):
    """The "properties" that describe each field, and its name."""
    for name, definition in schema["$defs"].items():
        properties = definition.get("properties", {})
        for field, inner in properties.items():
            if name == "peer" or field in ("peer", "turns"):  # not emitted yet
                continue
            yield properties, field
            yield from ((inner["properties"], deeper) for deeper in inner.get("properties", {}))


def faults_of_lines(schema, lines):
    validator = jsonschema.Draft202012Validator(closed(schema))
    for where, line in lines:
        for fault in validator.iter_errors(line):
            yield f"{where}: {fault.json_path}: {fault.message}"


def faults_of_required(schema, lines):
    """Required is what every line has: the minimal ones have nothing else."""
    always, required = {}, {}
    for _, line in lines:
        for _, value, name, definition in objects(schema, line):
            always[name] = always.get(name, set(value)) & set(value)
            required[name] = set(definition.get("required", []))
    for name, fields in always.items():
        if fields != required[name]:
            yield f"{name}: always there: {sorted(fields)}, required: {sorted(required[name])}"


def faults_of_removal(schema, lines):
    validator = jsonschema.Draft202012Validator(schema)
    for where, line in lines:
        for path, _, _, definition in objects(schema, line):
            for field in definition.get("required", []):
                if validator.is_valid(changed(line, path + (field,), None)):
                    yield f"{where}: valid without {'.'.join(path + (field,))}, which is required"


def faults_of_tolerance(schema, lines):
    """Fields are added: a line with one more, at any depth, is valid."""
    validator = jsonschema.Draft202012Validator(schema)
    for where, line in lines:
        for path, *_ in objects(schema, line):
            if not validator.is_valid(changed(line, path + ("a_field_of_the_future",), 1)):
                yield f"{where}: refuses a new field in {'.'.join(path) or 'the line'}"


def faults_of_breaking(schema, lines):
    validator = jsonschema.Draft202012Validator(schema)
    for kind, path, value in BROKEN:
        broken = [changed(line, path.split("."), value) for _, line in lines if kind in line]
        if kind == "record":  # a field of one record means nothing in another
            broken = [line for line in broken if path == "record" or is_field(path, line, lines)]
        if not broken:
            yield f"no line to try {path} = {value!r} on"
        for line in broken:
            if line is not None and validator.is_valid(line):
                yield f"accepts {path} = {value!r} in a {kind}"


def is_field(path, broken, lines):
    return any(path in line for _, line in lines if line.get("record") == broken["record"])


def faults_of_inference(schema, lines):
    """inferred is there exactly when confidence is not certain."""
    validator = jsonschema.Draft202012Validator(schema)
    for where, line in lines:
        if "verdict" not in line:
            continue
        certain = changed(line, ("confidence",), "certain")
        likely = changed(line, ("confidence",), "likely")
        if validator.is_valid(certain) == ("inferred" in line):
            yield f"{where}: wrong about inferred when certain"
        if validator.is_valid(likely) != ("inferred" in line):
            yield f"{where}: wrong about inferred when likely"


def faults_of_coverage(schema, lines):
    """Every described field is in some line: without its description that line is refused."""
    strict = closed(schema)
    validator = jsonschema.Draft202012Validator(strict)
    for properties, field in list(described_fields(strict)):
        description = properties.pop(field)
        if all(validator.is_valid(line) for _, line in lines):
            yield f"no line has the field {field}: {description}"
        properties[field] = description


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
    checks = [
        faults_of_lines,
        faults_of_required,
        faults_of_removal,
        faults_of_tolerance,
        faults_of_breaking,
        faults_of_inference,
        faults_of_coverage,
    ]
    faults = [fault for check in checks for fault in check(schema, lines)]
    print("\n".join(faults) or f"{len(lines)} lines are valid")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
