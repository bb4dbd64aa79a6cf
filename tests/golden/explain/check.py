#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `stalesock explain` says about every verdict of the recordings, and how it refuses.

    tests/golden/explain/check.py build/stalesock            compare
    tests/golden/explain/check.py build/stalesock --update   write the files anew
"""

import json
import os
import subprocess
import sys
import tempfile
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

FOLDER = Path(__file__).parent
RECORDINGS = FOLDER.parent / "recordings"
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "style", "rect", "text", "line", "polygon", "circle"}
stalesock = sys.argv[1]
update = "--update" in sys.argv[2:]
faults = []


def check(condition, what):
    if not condition:
        faults.append(what)


def run(*arguments, lang="C.UTF-8", stdin=None):
    environment = {**os.environ, "LC_ALL": lang, "TERM": "dumb"}
    return subprocess.run(
        [stalesock, "explain", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment,
        check=False,
    )


def explain(*arguments, **options):
    result = run(*arguments, **options)
    check(result.returncode == 0, f"{arguments}: exit code {result.returncode}: {result.stderr}")
    return result.stdout


def columns(line):
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line
    )


def check_width(text, widest, what):
    for line in text.decode().splitlines():
        check(columns(line) <= widest, f"{what}: wider than {widest}: {line}")


def compare(name, content):
    path = FOLDER / name
    if update:
        path.write_bytes(content)
    else:
        check(path.is_file() and path.read_bytes() == content, f"{path} is different")


def check_svg(svg, what):
    """A document of its own: known elements only, nothing to load, nothing outside of the picture."""
    root = ElementTree.fromstring(svg)
    check(root.tag == SVG + "svg", f"{what}: root {root.tag}")
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter():
        check(element.tag.removeprefix(SVG) in ELEMENTS, f"{what}: {element.tag}")
        check(not any("href" in name or name.startswith("on") for name in element.keys()), what)
        for name in ("x", "x1", "x2", "cx"):
            check(0 <= float(element.get(name, 0)) <= width, f"{what}: {name}")
        for name in ("y", "y1", "y2", "cy"):
            check(0 <= float(element.get(name, 0)) <= height, f"{what}: {name}")
        if element.tag == SVG + "text":
            room = {"start": width - float(element.get("x")), "end": float(element.get("x"))}
            needed = 8 * columns(element.text or "")
            check(needed <= room.get(element.get("text-anchor"), width), f"{what}: {element.text}")
    style = root.find(SVG + "style").text
    check("url(" not in style and "@import" not in style, f"{what}: style")
    check("prefers-color-scheme: dark" in style, f"{what}: dark")


def verdicts(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if "verdict" in line]


def check_recording(recording):
    lines = recording.with_suffix(".jsonl")
    texts, ascii_texts, narrow = b"", b"", b""
    for verdict in verdicts(lines):
        identity = verdict["id"]
        place = (identity, "--recording", recording)
        text = explain(*place)
        texts += text + b"\n"
        ascii_text = explain(*place, "--ascii")
        check(ascii_text.isascii(), f"{identity} --ascii is not ASCII")
        check(ascii_text == explain(*place, lang="C"), f"{identity}: the locale C is not ASCII")
        ascii_texts += ascii_text + b"\n"
        narrow += explain(*place, "--width", 40) + b"\n"
        # The evidence alone tells less; whether from a file or from a pipe.
        from_lines = explain(identity, "--json", lines)
        check(from_lines == explain(identity, "--json", "-", stdin=lines.read_bytes()), identity)
        check_width(from_lines, 80, f"{identity} from JSON")
        texts += from_lines + b"\n"
        svg = explain(*place, "--svg", "/dev/stdout")
        check_svg(svg, f"{identity}.svg")
        compare(f"{recording.stem}-{verdict['verdict']}.svg", svg)
    check_width(texts, 80, recording.stem)
    check_width(ascii_texts, 80, recording.stem)
    check_width(narrow, 40, recording.stem)
    compare(f"{recording.stem}.txt", texts)
    compare(f"{recording.stem}.ascii.txt", ascii_texts)
    compare(f"{recording.stem}.narrow.txt", narrow)


def check_hostile():
    """Names that attack a terminal or an XML parser."""
    lines = FOLDER.parent / "hostile.jsonl"
    for verdict in verdicts(lines):
        text = explain(verdict["id"], "--json", lines)
        check_width(text, 80, "hostile")
        check(all(c >= 0x20 or c == 0x0A for c in text), "hostile: a control character")
        check_svg(explain(verdict["id"], "--json", lines, "--svg", "/dev/stdout"), "hostile.svg")


def check_refusal(code, words, *arguments, **options):
    result = run(*arguments, **options)
    said = result.stderr.decode()
    check(result.returncode == code, f"{arguments}: exit code {result.returncode}")
    check(words in said, f"{arguments}: {said}")
    check(not result.stdout, f"{arguments}: output")


def check_refusals():
    recording = RECORDINGS / "stale_reuse.stalesock"
    lines = recording.with_suffix(".jsonl")
    identity = verdicts(lines)[0]["id"]
    connection = identity.split("-")[0]
    check_refusal(1, "there is no verdict 1-1 in the recording", "1-1", "--recording", recording)
    check_refusal(1, f"there is no verdict 1-1 in {lines}", "1-1", "--json", lines)
    check_refusal(1, f"{connection} is ambiguous", connection, "--recording", recording)
    check_refusal(1, f"{connection} is ambiguous", connection, "--json", lines)
    check_refusal(1, "could not be read", identity, "--json", "-", stdin=f"{identity}\n".encode())
    for missing in ("/nonexistent", FOLDER):
        check_refusal(2, str(missing), identity, "--json", missing)
        check_refusal(2, str(missing), identity, "--recording", missing)
    check_refusal(2, "is not a recording", identity, "--recording", lines)
    when = verdicts(lines)[1]["time"]
    explain(connection, "--json", lines, "--time", when)
    check_refusal(1, "at 1999", identity, "--json", lines, "--time", "1999")
    twice = lines.read_bytes() * 2
    explain(identity, "--json", "-", stdin=twice)
    moved = lines.read_bytes() + lines.read_bytes().replace(b"2026-", b"2027-")
    check_refusal(1, "is ambiguous", identity, "--json", "-", stdin=moved)
    check_refusal(1, "/dev/full", identity, "--json", lines, "--svg", "/dev/full")
    with tempfile.TemporaryDirectory() as scratch:
        svg = Path(scratch) / "a.svg"
        explain(identity, "--json", lines, "--svg", svg)
        check_svg(svg.read_bytes(), "a file")
        check_refusal(2, "exists already", identity, "--json", lines, "--svg", svg)
        explain(identity, "--json", lines, "--svg", svg, "--force")
        cut = Path(scratch) / "cut"
        cut.write_bytes(recording.read_bytes()[:-10])
        result = run(identity, "--recording", cut)
        check(result.returncode == 1 and result.stdout and b"damaged" in result.stderr, "cut")


for found in sorted(RECORDINGS.glob("*.stalesock")):
    check_recording(found)
check_hostile()
check_refusals()
for fault in faults:
    print(f"check.py: {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
