#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`stalesock top` in a real terminal: golden screens, keys, sizes, colours, locales, and the way out.

STALESOCK_UPDATE_GOLDEN=1 rewrites tests/golden/terminal-*.txt.
"""
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from population import enter_private_network
from terminal import Terminal

STALESOCK = os.path.abspath(os.environ.get("STALESOCK", "build/stalesock"))
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
COLUMNS = "state,role,command,local,remote,closer,unread"
ORDERED = f"--columns {COLUMNS} --role active --sort local"  # the kernel's order differs from boot to boot
TOP = f"{STALESOCK} top --no-verdicts --netns self -d 0.2"


def make_connections():
	"""Always the same on the screen: fixed ports, a name of our own, beyond ASCII."""
	ctypes.CDLL(None).prctl(15, "café".encode(), 0, 0, 0)  # PR_SET_NAME
	listener = socket.socket()
	listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	listener.bind(("127.0.0.1", 8080))
	listener.listen(16)
	held = [listener]
	for number in range(4):
		active = socket.socket()
		active.bind(("127.0.0.2", 40001 + number))
		active.connect(("127.0.0.1", 8080))
		passive, _ = listener.accept()
		active.sendall(b"request")
		passive.recv(7)
		held += [active, passive]
		if number == 1:
			passive.sendall(b"last words")
			passive.shutdown(socket.SHUT_WR)
	return held


def normalized(text):
	"""Without what differs from run to run: the time, the class of hooks."""
	text = re.sub(r"\d\d:\d\d:\d\d", "HH:MM:SS", text)
	return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def without_pids(text):
	"""In columns as wide as if each pid had five digits."""
	return re.sub(r"\((\d+)\)( +)", lambda found: "(PID)" + " " * (len(found[1]) + len(found[2]) - 9), text)


class ScreenTest(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.held = make_connections()

	def check_golden(self, name, text):
		path = GOLDEN / f"terminal-{name}.txt"
		if os.environ.get("STALESOCK_UPDATE_GOLDEN") == "1":
			path.write_text(normalized(text), encoding="utf-8")
		self.assertEqual(normalized(text), path.read_text(encoding="utf-8"))

	def start(self, terminal, options=f"--columns {COLUMNS}"):
		terminal.run(f"clear; {TOP} {options}")
		terminal.wait_for("sockets", "CLOSE_WAIT")

	def test_golden_80x24(self):
		with Terminal() as terminal:
			self.start(terminal, ORDERED)
			self.check_golden("80x24", terminal.text())

	def test_golden_20x5(self):
		with Terminal(20, 5) as terminal:
			terminal.run(f"clear; {TOP} {ORDERED} --stale")
			terminal.wait_for("CLOSE_WAIT")
			self.check_golden("20x5", terminal.text())

	def test_golden_groups_and_help(self):
		with Terminal() as terminal:
			self.start(terminal, ORDERED)
			terminal.type("g")
			self.check_golden("groups", without_pids(terminal.wait_for("BY process")))
			terminal.type("?")
			self.check_golden("help", terminal.wait_for("freeze the screen"))

	def test_keys(self):
		with Terminal() as terminal:
			self.start(terminal)
			terminal.type("Enter")
			terminal.wait_for("TCP state", "127.0.0.2:40002", "any other key back")
			terminal.type("Escape")
			terminal.wait_for("?Help")
			terminal.type("\\")
			terminal.run("40003")
			terminal.wait_for("2/9 sockets", "[40003]")
			terminal.type("F4", *["BSpace"] * 5, "Enter")
			terminal.wait_for("9/9 sockets")
			terminal.type("s")
			terminal.wait_for("Enter sort by it")
			terminal.type("Home", "Down", "Enter")
			terminal.wait_for("ROLE^")
			terminal.type("Space")
			terminal.wait_for("FROZEN")
			terminal.type("Space", "/")
			terminal.run("nobody")
			terminal.wait_for("not found: nobody")
			terminal.type("S")
			terminal.wait_for("1/9 sockets")

	def test_another_size(self):
		with Terminal() as terminal:
			self.start(terminal)
			terminal.resize(40, 12)
			terminal.wait_until(lambda: "?Help" in terminal.text().splitlines()[-1], "the last line")
			self.assertTrue(all(len(line) <= 40 for line in terminal.text().splitlines()))
			terminal.resize(120, 40)
			terminal.wait_until(lambda: len(terminal.text().splitlines()) == 40 and
			                    "?Help" in terminal.text().splitlines()[-1], "the last line")

	def test_colours_only_where_the_terminal_has_them(self):
		colour = re.compile(r"\x1b\[[0-9;]*3[0-7]")
		with Terminal() as terminal:
			self.start(terminal)
			self.assertRegex(terminal.text("-e"), colour)
		with Terminal(term="vt100") as terminal:
			self.start(terminal)
			self.assertNotRegex(terminal.text("-e"), colour)
		with Terminal() as terminal:
			self.start(terminal, f"--no-color --columns {COLUMNS}")
			self.assertNotRegex(terminal.text("-e"), colour)

	def test_locales(self):
		with Terminal() as terminal:
			self.start(terminal)
			terminal.wait_for("café")
		with Terminal(locale="C") as terminal:
			self.start(terminal)
			terminal.wait_for("caf? ")

	def check_way_out(self, leave, code):
		with Terminal() as terminal:
			before = terminal.folder.name + "/before"
			after = terminal.folder.name + "/after"
			terminal.run(f"clear; echo first; stty -a > {before}; {TOP} --no-bpf; "
			             f"echo code=$?; stty -a > {after}; echo end")
			terminal.wait_for("sockets", "CLOSE_WAIT")
			self.assertEqual(terminal.fact("alternate_on"), "1")
			leave(terminal)
			text = terminal.wait_for(f"code={code}", "end", "first")
			self.assertEqual(terminal.fact("alternate_on"), "0")
			self.assertEqual(terminal.fact("cursor_flag"), "1")
			self.assertEqual(Path(before).read_text(), Path(after).read_text())
			return text

	def process_of(self, terminal):
		shell = terminal.fact("pane_pid")
		output = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True).stdout
		return int(output.split()[-1])

	def test_restored_after_q(self):
		self.check_way_out(lambda terminal: terminal.type("q"), 0)

	def test_restored_after_interrupt(self):
		self.check_way_out(lambda terminal: terminal.type("C-c"), 0)

	def test_restored_after_sigterm(self):
		self.check_way_out(lambda terminal: os.kill(self.process_of(terminal), signal.SIGTERM), 0)

	def test_restored_after_an_exception(self):
		"""No descriptor is left for the next snapshot's netlink socket."""
		def exhaust(terminal):
			subprocess.run(["prlimit", "--pid", str(self.process_of(terminal)), "--nofile=3:3"],
			               check=True)
		self.assertIn("NETLINK_SOCK_DIAG", self.check_way_out(exhaust, 1))


if __name__ == "__main__":
	sys.stdout.flush()
	enter_private_network()
	unittest.main(verbosity=1)
