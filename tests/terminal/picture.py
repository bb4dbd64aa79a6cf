#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/terminal/top.svg and the screen in README.md: `stalesock top` on real connections, as a real terminal shows it.

A server closes connections that are idle for a second; a client keeps them in its pool, writes to one of them, and
leaks two. Needs root.
"""
import ctypes
import html
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

from population import enter_private_network
from terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
STALESOCK = os.path.abspath(os.environ.get("STALESOCK", ROOT / "build/stalesock"))
COLUMNS, ROWS = 132, 28
SHOWN = "state,role,pid,command,local,remote,sent,closer,fin,verdict"
CELL_WIDTH, CELL_HEIGHT = 8.4, 18
PALETTE = ["#1c1c1c", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d0d0d0"]
FOREGROUND, BACKGROUND = "#d0d0d0", "#1c1c1c"


def rename(name):
	ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME


def serve(ready):
	rename("orders")
	listener = socket.socket()
	listener.bind(("127.0.0.1", 8080))
	listener.listen(16)
	os.write(ready, b"+")
	held = []
	for _ in range(8):
		connection, _ = listener.accept()
		connection.recv(100)
		connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		held.append(connection)
	time.sleep(1.0)
	for connection in held[:4]:
		connection.shutdown(socket.SHUT_WR)
	signal.pause()


def use_pool(go):
	rename("checkout")
	pool = []
	for number in range(8):
		connection = socket.create_connection(("127.0.0.1", 8080))
		if number % 2:
			connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		connection.sendall(b"GET /orders HTTP/1.1\r\nHost: orders\r\n\r\n")
		connection.recv(100)
		pool.append(connection)
	os.read(go, 1)
	for connection in pool[:2]:
		connection.sendall(b"GET /orders HTTP/1.1\r\nHost: orders\r\n\r\n")
	signal.pause()


def start(work):
	reading, writing = os.pipe()
	child = os.fork()
	if child == 0:
		work(reading if work is use_pool else writing)
		os._exit(0)
	if work is serve:
		os.read(reading, 1)
	return child, writing


def take_screen():
	server, _ = start(serve)
	with Terminal(COLUMNS, ROWS) as terminal:
		terminal.run(f"clear; {STALESOCK} top --netns self -d 0.5 --sort state --columns {SHOWN}")
		terminal.wait_for("hooks: t")
		client, go = start(use_pool)
		try:
			terminal.wait_for("4 stale")
			os.write(go, b"+")
			terminal.wait_for("error    stale_reuse", "2 stale_reuse")
			return terminal.text(), terminal.text("-e")
		finally:
			os.kill(client, signal.SIGKILL)
			os.kill(server, signal.SIGKILL)


class Pen:
	"""SGR sequences as a style."""

	def __init__(self):
		self.apply(0)

	def apply(self, code):
		if code == 0:
			self.foreground, self.background = FOREGROUND, None
			self.bold = self.dim = self.reverse = False
		elif code in (1, 2, 7):
			setattr(self, {1: "bold", 2: "dim", 7: "reverse"}[code], True)
		elif 30 <= code <= 37:
			self.foreground = PALETTE[code - 30]
		elif code == 39:
			self.foreground = FOREGROUND
		elif 40 <= code <= 47:
			self.background = PALETTE[code - 40]
		elif code == 49:
			self.background = None

	def colours(self):
		if self.reverse:
			return self.background or BACKGROUND, self.foreground
		return self.foreground, self.background


def draw_run(text, column, row, pen):
	foreground, background = pen.colours()
	x, y, width = column * CELL_WIDTH, row * CELL_HEIGHT, len(text) * CELL_WIDTH
	out = ""
	if background:
		out += f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{CELL_HEIGHT}" fill="{background}"/>\n'
	if text.strip():
		weight = ' font-weight="bold"' if pen.bold else ""
		out += (f'<text x="{x:.1f}" y="{y + 13}" textLength="{width:.1f}" fill="{foreground}"{weight}'
		        f' xml:space="preserve">{html.escape(text)}</text>\n')
	return out


def svg_of(screen):
	width, height = COLUMNS * CELL_WIDTH, ROWS * CELL_HEIGHT
	out = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
	       'font-family="monospace" font-size="14">\n<title>stalesock top</title>\n'
	       f'<rect width="100%" height="100%" fill="{BACKGROUND}"/>\n')
	pen = Pen()
	for row, line in enumerate(screen.splitlines()):
		column = 0
		for part in re.split(r"(\x1b\[[0-9;]*m|\x1b\(.|\x0e|\x0f)", line):
			if part.startswith("\x1b["):
				for code in part[2:-1].split(";"):
					pen.apply(int(code or 0))
			elif part and part[0] not in "\x1b\x0e\x0f":
				out += draw_run(part, column, row, pen)
				column += len(part)
	return out + "</svg>\n"


def write_readme(text):
	readme = ROOT / "README.md"
	block = "".join("    " + line if line.strip() else line for line in text.splitlines(True))
	changed = re.sub(r"(?s)(<!-- top -->\n).*(<!-- end of top -->)",
	                 lambda match: f"{match[1]}\n{block}\n{match[2]}", readme.read_text())
	readme.write_text(changed)


def main():
	enter_private_network()
	text, coloured = take_screen()
	(ROOT / "tests/terminal/top.svg").write_text(svg_of(coloured))
	write_readme("\n".join(line.rstrip() for line in text.splitlines()) + "\n")
	return 0


if __name__ == "__main__":
	sys.exit(main())
