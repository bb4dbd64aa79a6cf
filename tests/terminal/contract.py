# SPDX-License-Identifier: Apache-2.0
"""JSON lines of `list` and `top`, each checked against the schema."""
import json
from pathlib import Path

import jsonschema  # Debian: python3-jsonschema

SCHEMA = Path(__file__).resolve().parents[2] / "packaging/schema/socket.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def read_lines(text):
	objects = [json.loads(line) for line in text.splitlines()]
	for entry in objects:
		VALIDATOR.validate(entry)
	if objects[0]["record"] != "snapshot":
		raise AssertionError(objects[0])
	return objects
