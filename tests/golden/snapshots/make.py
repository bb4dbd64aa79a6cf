#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Records what the kernel says of sockets in every state, on loopback, and of who holds them. As root:

    ninja -C build stalesock-record-snapshot
    tests/golden/snapshots/make.py build/tests/golden/snapshots/stalesock-record-snapshot
"""
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1] / "terminal"))
from population import enter_private_network  # noqa: E402
from states import Maker, prepare_network  # noqa: E402


def sockets_of_this_process(maker):
	maker.established(3)
	maker.established(2, family=socket.AF_INET6, address="::1")
	maker.established(1, family=socket.AF_INET6, address="::ffff:127.0.0.1")
	maker.never_used(1)
	maker.unread(2)
	maker.close_wait(6)
	maker.time_wait(2)
	maker.orphaned_fin_wait2(2)
	maker.fin_wait1(1)
	maker.unacknowledged(1, "127.5.0.1", closing=True)
	maker.unacknowledged(1, "127.5.0.2", closing=False)
	maker.syn_sent(1)
	maker.syn_received(1)


def share_a_listener(maker, name):
	"""Another process, with a hostile name, that holds a listener with this one. Its pid."""
	listener = maker.listener()
	child = os.fork()
	if child == 0:
		for held in maker.held:
			if held is not listener:
				held.close()
		Path("/proc/self/comm").write_bytes(name)
		time.sleep(60)
		os._exit(0)
	while Path(f"/proc/{child}/comm").read_bytes().rstrip(b"\n") != name:
		time.sleep(0.01)
	return child


def main(recorder):
	enter_private_network()
	prepare_network()
	Path("/proc/self/comm").write_text("pool")
	maker = Maker()
	child = share_a_listener(maker, b"a\x1b[31m\xff")
	sockets_of_this_process(maker)
	time.sleep(1)
	recorded = subprocess.run([recorder], capture_output=True, check=True).stdout
	(FOLDER / "states.snapshot").write_bytes(recorded)
	os.kill(child, 9)
	os.waitpid(child, 0)


if __name__ == "__main__":
	main(*sys.argv[1:])
