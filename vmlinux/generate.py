#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vmlinux.h: the types and fields listed in types.txt, taken from a kernel's BTF.

usage: generate.py [BTF-FILE]      default: /sys/kernel/btf/vmlinux

An anonymous struct or union stays when a listed field is inside it, because CO-RE finds members
through unnamed levels. Padding and unlisted members are left out: CO-RE puts the offsets right.
"""
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
AGGREGATES = ("STRUCT", "UNION")
QUALIFIERS = {"CONST": "const", "VOLATILE": "volatile"}
TRANSPARENT = ("RESTRICT", "TYPE_TAG")

HEADER = """\
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Made by vmlinux/generate.py from types.txt and a kernel's BTF; do not edit. */
#ifndef STALESOCK_VMLINUX_H
#define STALESOCK_VMLINUX_H

"""


class Error(Exception):
	pass


def read_list(path):
	"""The lines of types.txt as (kind, name, fields)."""
	entries = []
	for number, raw in enumerate(path.read_text().splitlines(), 1):
		line = raw.split("#")[0].strip()
		if not line:
			continue
		head, _, fields = line.partition(":")
		kind, *names = head.split()
		if kind not in ("struct", "union", "enum", "typedef", "constants") or not names:
			raise Error(f"{path.name}:{number}: cannot read '{line}'")
		if kind == "constants":
			entries.append((kind, "", names))
		else:
			entries.append((kind, names[0], fields.split()))
	return entries


def nested_wishes(fields, name):
	"""The wishes below member NAME: 'a.b' and 'a.c' give {'b', 'c'} for a."""
	return {wish.split(".", 1)[1] for wish in fields if wish.startswith(name + ".")}


class Btf:
	def __init__(self, path):
		bpftool = shutil.which("bpftool") or "/usr/sbin/bpftool"
		dump = subprocess.run([bpftool, "-j", "btf", "dump", "file", path],
		                      check=True, capture_output=True)
		self.types = {entry["id"]: entry for entry in json.loads(dump.stdout)["types"]}
		self.by_name = {}
		for entry in self.types.values():
			key = (entry["kind"].replace("ENUM64", "ENUM"), entry["name"])
			# Several definitions of one name: the kernel's own is the one with most members.
			known = self.by_name.get(key)
			if known is None or entry.get("vlen", 0) > known.get("vlen", 0):
				self.by_name[key] = entry

	def find(self, kind, name):
		entry = self.by_name.get((kind.upper(), name))
		if entry is None:
			raise Error(f"the kernel has no {kind} {name}")
		return entry

	def strip(self, type_id):
		"""The type behind qualifiers, but not behind typedefs."""
		entry = self.types.get(type_id)
		while entry and (entry["kind"] in QUALIFIERS or entry["kind"] in TRANSPARENT):
			entry = self.types.get(entry["type_id"])
		return entry


class Writer:
	def __init__(self, btf, entries):
		self.btf = btf
		self.entries = entries
		self.typedefs = {name for kind, name, _ in entries if kind == "typedef"}
		self.listed = {(kind, name): fields for kind, name, fields in entries}
		self.done = set()
		self.forwards = set()
		self.out = []

	# --- types as C text -------------------------------------------------------------------
	def declare(self, type_id, name, wishes, level):
		"""The declaration of NAME as a member or parameter of the type."""
		entry = self.btf.types.get(type_id)
		if entry is None:
			return f"void {name}".rstrip()
		kind = entry["kind"]
		if kind in TRANSPARENT:
			return self.declare(entry["type_id"], name, wishes, level)
		if kind in QUALIFIERS:
			target = self.btf.types.get(entry["type_id"])
			if target and target["kind"] == "PTR":
				return self.declare(entry["type_id"], f"{QUALIFIERS[kind]} {name}".rstrip(), wishes, level)
			return f"{QUALIFIERS[kind]} " + self.declare(entry["type_id"], name, wishes, level)
		if kind == "PTR":
			target = self.btf.strip(entry["type_id"])
			inner = f"(*{name})" if target and target["kind"] in ("FUNC_PROTO", "ARRAY") else f"*{name}"
			return self.declare(entry["type_id"], inner, wishes, level)
		if kind == "ARRAY":
			return self.declare(entry["type_id"], f"{name}[{entry['nr_elems']}]", wishes, level)
		if kind == "FUNC_PROTO":
			parameters = ", ".join(self.declare(p["type_id"], "", [], level) for p in entry["params"])
			return self.declare(entry["ret_type_id"], f"{name}({parameters or 'void'})", wishes, level)
		return f"{self.base(entry, wishes, level)} {name}".rstrip()

	def base(self, entry, wishes, level):
		"""The specifier of a type that is neither pointer, array nor function."""
		kind, name = entry["kind"], entry["name"]
		if kind == "INT":
			return name
		if kind == "TYPEDEF":
			if name in self.typedefs:
				return name
			target = self.btf.strip(entry["type_id"])
			if target is not None and target["kind"] in ("INT", "TYPEDEF", "STRUCT", "UNION", "ENUM"):
				return self.base(target, wishes, level)
			raise Error(f"typedef {name} must be listed")
		if kind == "FWD":
			self.forwards.add(f"{entry['fwd_kind']} {name}")
			return f"{entry['fwd_kind']} {name}"
		if kind in ("ENUM", "ENUM64"):
			if name != "(anon)":
				return f"enum {name}"
			return "unsigned int"
		if kind in AGGREGATES:
			if name == "(anon)":
				return self.anonymous(entry, wishes, level)
			self.forwards.add(f"{kind.lower()} {name}")
			return f"{kind.lower()} {name}"
		raise Error(f"cannot write {kind} {name}")

	def anonymous(self, entry, wishes, level):
		body, found = self.members(entry, wishes, level + 1)
		missing = set(wishes) - found - {"*"}
		if missing:
			raise Error(f"no member {', '.join(sorted(missing))} in an unnamed {entry['kind'].lower()}")
		return f"{entry['kind'].lower()} {{\n{body}" + "\t" * level + "}"

	def unnamed_aggregate(self, type_id):
		"""The unnamed struct or union behind arrays and qualifiers, or nothing."""
		entry = self.btf.strip(type_id)
		while entry and entry["kind"] == "ARRAY":
			entry = self.btf.strip(entry["type_id"])
		if entry and entry["kind"] in AGGREGATES and entry["name"] == "(anon)":
			return entry
		return None

	def members(self, entry, wishes, level):
		"""The wished members as C text, and which of the wishes were met here or in levels below."""
		text, found = "", set()
		for member in entry["members"]:
			name = "" if member["name"] == "(anon)" else member["name"]
			line, met = self.member(member, name, wishes, level)
			found |= met
			if line:
				text += "\t" * level + line + ";\n"
		return text, found

	def member(self, member, name, wishes, level):
		aggregate = self.unnamed_aggregate(member["type_id"])
		if not name:
			if "*" in wishes:
				return self.declare(member["type_id"], "", ["*"], level), set()
			body, met = self.members(aggregate, wishes, level + 1)
			if not body:
				return "", set()
			return f"{aggregate['kind'].lower()} {{\n{body}" + "\t" * level + "}", met
		below = nested_wishes(wishes, name)
		if name not in wishes and "*" not in wishes and not below:
			return "", set()
		met = {name} | {f"{name}.{wish}" for wish in below}
		if aggregate and not below:
			below = {"*"}
		self.require(member["type_id"])
		bits = member.get("bitfield_size") or 0
		line = self.declare(member["type_id"], name, below, level)
		return line + (f": {bits}" if bits else ""), met & (set(wishes) | {name})

	# --- definitions in dependency order --------------------------------------------------
	def require(self, type_id):
		"""Writes what must be complete before a member of the type: embedded types, enums."""
		entry = self.btf.strip(type_id)
		while entry and entry["kind"] == "ARRAY":
			entry = self.btf.strip(entry["type_id"])
		if not entry:
			return
		kind, name = entry["kind"], entry["name"]
		if kind == "TYPEDEF":
			if name in self.typedefs:
				self.define("typedef", name, self.listed[("typedef", name)])
			else:
				self.require(entry["type_id"])
		elif kind in ("ENUM", "ENUM64") and name != "(anon)":
			self.define("enum", name, [])
		elif kind in AGGREGATES and name != "(anon)":
			key = (kind.lower(), name)
			if key not in self.listed:
				raise Error(f"{kind.lower()} {name} is embedded: list it with its fields")
			self.define(*key, self.listed[key])
		elif kind in AGGREGATES:
			# Unnamed: what its own members embed is required while they are written.
			pass

	def define(self, kind, name, fields):
		if kind != "constants" and (kind, name) in self.done:
			return
		self.done.add((kind, name))
		if kind == "constants":
			self.constants(fields)
		elif kind == "enum":
			self.enum(f"enum {name}", self.btf.find("enum", name)["values"])
		elif kind == "typedef":
			self.typedef(name, fields)
		else:
			self.aggregate(kind, name, fields)

	def aggregate(self, kind, name, fields):
		body, found = self.members(self.btf.find(kind, name), set(fields), 1)
		missing = set(fields) - found - {"*"}
		if missing:
			raise Error(f"{kind} {name} has no {', '.join(sorted(missing))}")
		self.out.append(f"{kind} {name} {{\n{body}}};\n")

	def typedef(self, name, fields):
		entry = self.btf.find("typedef", name)
		target = self.btf.strip(entry["type_id"])
		if target["kind"] == "ENUM" and target["name"] == "(anon)":
			values = "".join(f"\t{v['name']} = {v['val']},\n" for v in target["values"])
			self.out.append(f"typedef enum {{\n{values}}} {name};\n")
			return
		if fields and target["kind"] not in AGGREGATES:
			raise Error(f"typedef {name} is not a struct")
		self.require(entry["type_id"])
		self.out.append(f"typedef {self.declare(entry['type_id'], name, set(fields), 0)};\n")

	def enum(self, title, values):
		lines = "".join(f"\t{value['name']} = {value['val']},\n" for value in values)
		self.out.append(f"{title} {{\n{lines}}};\n")

	def constants(self, names):
		values = {v["name"]: v for entry in self.btf.types.values()
		          if entry["kind"] in ("ENUM", "ENUM64") for v in entry["values"]}
		missing = [name for name in names if name not in values]
		if missing:
			raise Error(f"no enumerator {', '.join(missing)}")
		self.enum("enum", [values[name] for name in names])

	def text(self):
		for entry in self.entries:
			self.define(*entry)
		typedefs, rest = [], []
		for block in self.out:
			simple = block.startswith("typedef") and "{" not in block and "struct" not in block
			(typedefs if simple else rest).append(block)
		forwards = "".join(f"{name};\n" for name in sorted(self.forwards))
		return (HEADER + "".join(typedefs) + "\n"
		        + "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
		        + "#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)\n"
		        + "#endif\n\n" + forwards + "\n" + "\n".join(rest) + "\n"
		        + "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n#endif\n\n"
		        + "#endif /* STALESOCK_VMLINUX_H */\n")


def main():
	btf_path = sys.argv[1] if len(sys.argv) > 1 else "/sys/kernel/btf/vmlinux"
	try:
		text = Writer(Btf(btf_path), read_list(HERE / "types.txt")).text()
	except (Error, OSError, subprocess.CalledProcessError) as error:
		sys.exit(f"generate.py: {error}")
	(HERE / "vmlinux.h").write_text(text)
	print(f"{HERE / 'vmlinux.h'}: {len(text.splitlines())} lines")


if __name__ == "__main__":
	main()
