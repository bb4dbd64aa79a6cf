# SPDX-License-Identifier: Apache-2.0
"""Many real connections on loopback, held by several processes (descriptors are limited per process)."""
import ctypes
import os
import resource
import signal
import socket
import subprocess
import traceback

CLONE_NEWNET = 0x40000000
LARGEST_PROCESS = 19_000  # descriptors; the hard limit of some machines is 20,000


def enter_private_network():
	"""A network namespace of its own with its loopback up. Needs root."""
	libc = ctypes.CDLL(None, use_errno=True)
	if libc.unshare(CLONE_NEWNET) != 0:
		raise OSError(ctypes.get_errno(), "unshare")
	subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def raise_descriptor_limit():
	hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
	return hard


def make_pairs(number, count):
	"""COUNT used connections, both ends, from an address of this process."""
	address = f"127.{10 + number // 200}.{number % 200 + 1}.1"
	listener = socket.socket()
	listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	listener.bind((address, 8080))
	listener.listen(4096)
	held = [listener]
	for _ in range(count):
		active = socket.socket()
		active.bind((address, 0))
		active.connect((address, 8080))
		passive, _ = listener.accept()
		active.send(b"request")
		passive.recv(16)
		passive.send(b"response!")
		active.recv(16)
		held += [active, passive]
	return held


class Population:
	"""A context: SOCKETS connected sockets exist inside it."""

	def __init__(self, sockets):
		self.sockets = sockets
		self.children = []

	def __enter__(self):
		limit = min(raise_descriptor_limit() - 100, LARGEST_PROCESS)
		left, number = self.sockets, 0
		while left > 0:
			count = min(left, limit) // 2
			self.start(number, count)
			left -= 2 * count
			number += 1
		return self

	def start(self, number, count):
		ready, told = os.pipe()
		child = os.fork()
		if child == 0:
			os.close(ready)
			try:
				held = make_pairs(number, count)
				os.write(told, b"+")
				signal.pause()
				del held
			except BaseException:
				traceback.print_exc()
			finally:
				os._exit(1)
		os.close(told)
		self.children.append(child)
		answer = os.read(ready, 1)
		os.close(ready)
		if answer != b"+":
			raise RuntimeError("a process of the population failed")

	def __exit__(self, *unused):
		for child in self.children:
			os.kill(child, signal.SIGKILL)
			os.waitpid(child, 0)
