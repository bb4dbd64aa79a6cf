#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`stalesock list --json` against `ss -tanoie` on the same real sockets, in turns; and what `top` costs.

A program, not a gate: numbers depend on the machine. Needs root.

    tests/bench/list_speed.py [--sockets 10000,100000] [--rounds 9] [--stalesock build/stalesock]
"""
import argparse
import fcntl
import os
import pty
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "terminal"))
from population import Population, enter_private_network  # noqa: E402


class Run(NamedTuple):
	wall: float  # seconds
	cpu: float  # seconds
	size: int  # bytes of output


def measure(command):
	"""One run of a command, its output into a pipe that is read at once."""
	started = time.perf_counter()
	child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
	size = 0
	while chunk := os.read(child.stdout.fileno(), 1 << 20):
		size += len(chunk)
	_, status, usage = os.wait4(child.pid, 0)
	wall = time.perf_counter() - started
	child.returncode = os.waitstatus_to_exitcode(status)
	if child.returncode != 0:
		raise RuntimeError(f"{command} failed: {child.returncode}")
	return Run(wall, usage.ru_utime + usage.ru_stime, size)


def measure_unread(command):
	"""Seconds of one run whose output nobody reads."""
	started = time.perf_counter()
	subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
	return time.perf_counter() - started


def compare(stalesock, sockets, rounds):
	ours, theirs, unread = [], [], []
	own = [stalesock, "list", "--json", "--netns", "self"]
	for _ in range(rounds):
		theirs.append(measure(["ss", "-tanoie"]))
		ours.append(measure(own))
		other = measure_unread(["ss", "-tanoie"])
		unread.append(measure_unread(own) / other)
	memory = most_resident([stalesock, "list", "--json", "--netns", "self"])
	size = ours[0].size
	ratio = statistics.median(a.wall / b.wall for a, b in zip(ours, theirs))
	cpu = statistics.median(a.cpu / b.cpu for a, b in zip(ours, theirs))
	print(f"{sockets:>7} sockets: list --json {1e3 * statistics.median(run.wall for run in ours):7.1f} ms"
	      f" ({size >> 10} KiB), ss -tanoie {1e3 * statistics.median(run.wall for run in theirs):7.1f} ms,"
	      f" ratio {ratio:.3f} (target 0.25; into /dev/null {statistics.median(unread):.3f}; of CPU time {cpu:.3f}),"
	      f" {memory / 1024:.1f} MiB (target 60)", flush=True)


def most_resident(command):
	"""KiB, as the kernel says of the process itself: ru_maxrss includes who started it."""
	child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
	most = 0
	while os.read(child.stdout.fileno(), 1 << 20):
		status = Path(f"/proc/{child.pid}/status").read_text()
		if "VmHWM:" in status:
			most = int(status.split("VmHWM:")[1].split()[0])
	child.wait()
	return most


def cpu_seconds(pid):
	"""Of a running process so far."""
	fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
	return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_top(stalesock, sockets, seconds=10):
	"""A screen of 80x24, of one core, once it has settled."""
	terminal, inside = pty.openpty()
	fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
	environment = dict(os.environ, TERM="xterm-256color")
	child = subprocess.Popen([stalesock, "top", "-d", "1", "--netns", "self"], stdin=inside,
	                         stdout=inside, stderr=subprocess.DEVNULL, env=environment)
	os.close(inside)
	reader = threading.Thread(target=drain, args=(terminal,), daemon=True)
	reader.start()
	time.sleep(5)
	before = cpu_seconds(child.pid)
	time.sleep(seconds)
	share = (cpu_seconds(child.pid) - before) / seconds
	resident = Path(f"/proc/{child.pid}/status").read_text().split("VmHWM:")[1].split()[0]
	child.terminate()
	child.wait()
	print(f"{sockets:>7} sockets: top at 1 s uses {100 * share:.1f} % of a core (target 25),"
	      f" {int(resident) / 1024:.1f} MiB", flush=True)


def drain(terminal):
	try:
		while os.read(terminal, 65536):
			pass
	except OSError:
		pass


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument("--sockets", default="10000,100000")
	parser.add_argument("--rounds", type=int, default=9)
	parser.add_argument("--stalesock", default="build/stalesock")
	parser.add_argument("--no-top", action="store_true")
	arguments = parser.parse_args()
	enter_private_network()
	for sockets in map(int, arguments.sockets.split(",")):
		with Population(sockets):
			compare(arguments.stalesock, sockets, arguments.rounds)
			if not arguments.no_top:
				measure_top(arguments.stalesock, sockets)


if __name__ == "__main__":
	main()
