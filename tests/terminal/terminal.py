# SPDX-License-Identifier: Apache-2.0
"""A real terminal of a fixed size: tmux, with a server of its own."""
import os
import subprocess
import tempfile
import time

PATIENCE_S = 60


class Terminal:
	"""A context: a shell in a terminal."""

	def __init__(self, columns=80, rows=24, term="screen-256color", locale="C.UTF-8"):
		self.folder = tempfile.TemporaryDirectory(prefix="stalesock-terminal")
		self.size = ["-x", str(columns), "-y", str(rows)]
		self.term, self.locale = term, locale

	def tmux(self, *arguments):
		return subprocess.run(["tmux", "-u", "-S", self.folder.name + "/tmux", *arguments], check=True,
		                      capture_output=True, text=True, timeout=PATIENCE_S).stdout

	def __enter__(self):
		configuration = self.folder.name + "/tmux.conf"
		with open(configuration, "w", encoding="ascii") as file:
			file.write("set -g status off\nset -sg escape-time 0\n")
		shell = f"env TERM={self.term} LC_ALL={self.locale} PS1=ready: bash --norc --noprofile"
		self.tmux("-f", configuration, "new-session", "-d", *self.size, shell)
		self.wait_for("ready:")
		return self

	def __exit__(self, *unused):
		self.tmux("kill-server")
		self.folder.cleanup()

	def type(self, *keys):
		"""Names as tmux has them (Enter, Down, F6), or text."""
		for key in keys:
			self.tmux("send-keys", key)

	def run(self, command):
		self.tmux("send-keys", "-l", command)
		self.type("Enter")

	def resize(self, columns, rows):
		self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

	def text(self, *options):
		return self.tmux("capture-pane", "-p", *options)

	def fact(self, name):
		return self.tmux("display-message", "-p", "#{%s}" % name).strip()

	def wait_until(self, condition, what):
		deadline = time.monotonic() + PATIENCE_S
		while not condition():
			if time.monotonic() > deadline:
				raise AssertionError(f"{what} did not come; the screen:\n{self.text()}")
			time.sleep(0.05)

	def wait_for(self, *texts):
		self.wait_until(lambda: all(text in self.text() for text in texts), f"{texts}")
		return self.text()


def own_path():
	return os.path.dirname(os.path.abspath(__file__))
