#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`stalesock list` and `stalesock top -b` on real sockets: filters, owners, groups, privileges, exit codes."""
import ctypes
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from contract import read_lines
from population import enter_private_network
from states import Maker

STALESOCK = os.environ.get("STALESOCK", "build/stalesock")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
          "--ambient-caps=-all", "--bounding-set=-all"]
TWO_CAPABILITIES = [word.replace("-all", "-all,+bpf,+perfmon") for word in NOBODY]


def run(*arguments, launcher=()):
	return subprocess.run([*launcher, STALESOCK, *arguments], capture_output=True, text=True,
	                      timeout=120)


def lines(*arguments, launcher=()):
	result = run(*arguments, "--json", launcher=launcher)
	if result.returncode != 0:
		raise AssertionError(result.stderr)
	head, *rest = read_lines(result.stdout)
	return head, rest


class ListTest(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.maker = Maker()
		listener = cls.maker.listener("127.0.0.1")
		cls.address = "127.0.0.1:%d" % listener.getsockname()[1]
		cls.active, cls.passive = cls.maker.used_pair(listener)
		cls.stale, other = cls.maker.used_pair(listener)
		other.shutdown(1)
		cls.name = "127.0.0.1:%d" % cls.stale.getsockname()[1]

	def test_stale_connection(self):
		_, rows = lines("list", "--netns", "self", "--stale")
		self.assertEqual(len(rows), 1)
		connection, socket = rows[0]["connection"], rows[0]["socket"]
		self.assertEqual(connection["local"], self.name)
		self.assertEqual(connection["remote"], self.address)
		self.assertEqual(connection["role"], "active")
		self.assertEqual(socket["first_closer"], "peer")
		self.assertEqual(socket["unread_bytes"], 0)
		self.assertIn("fin_age_ms", socket)
		self.assertEqual(rows[0]["owner"]["pid"], os.getpid())
		self.assertEqual(rows[0]["keepalive"], {"on": False})

	def test_filters(self):
		for arguments, count in [(["--state", "LISTEN"], 1), (["--state", "CLOSE_WAIT"], 1),
		                         (["--remote", self.address], 2), (["--local", self.address], 3),
		                         (["--role", "passive"], 2), (["--pid", str(os.getpid())], 5),
		                         (["--pid", "1"], 0), (["--idle-over", "3600"], 0),
		                         (["--unit", "no-such"], 0)]:
			with self.subTest(arguments):
				_, rows = lines("list", "--netns", "self", *arguments)
				self.assertEqual(len(rows), count)

	def test_other_namespaces_are_shown(self):
		ready, told = os.pipe()
		child = os.fork()
		if child == 0:
			ctypes.CDLL(None).unshare(0x40000000)
			subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
			self.maker.listener("127.0.0.9")
			os.write(told, b"+")
			os.read(ready, 0)
			signal.pause()
		os.read(ready, 1)
		try:
			_, rows = lines("list", "--local", "127.0.0.9")
			self.assertEqual([row["owner"]["pid"] for row in rows], [child])
		finally:
			os.kill(child, 9)
			os.waitpid(child, 0)

	def test_groups(self):
		_, rows = lines("list", "--netns", "self", "--by", "process")
		ours = [row for row in rows if row.get("owner", {}).get("pid") == os.getpid()]
		self.assertEqual(ours[0]["states"]["CLOSE_WAIT"], 1)
		_, rows = lines("list", "--netns", "self", "--by", "listener")
		self.assertEqual(sum(row["sockets"] for row in rows), 3)

	def test_text_in_a_pipe_is_whole_and_plain(self):
		result = run("list", "--netns", "self", "--columns", "all")
		self.assertEqual(result.returncode, 0)
		self.assertNotIn("\x1b", result.stdout)
		self.assertTrue(result.stdout.startswith("# 5 of 5 sockets, 1 stale"))
		self.assertIn(self.address, result.stdout)

	def test_only_chosen_columns(self):
		result = run("list", "--netns", "self", "--stale", "--columns", "local,state", "--no-head")
		self.assertEqual(result.stdout.split(), [self.name, "CLOSE_WAIT"])

	def test_without_privileges(self):
		result = run("list", launcher=NOBODY)
		self.assertEqual(result.returncode, 3)
		self.assertEqual(result.stdout, "")
		self.assertIn("CAP_BPF and CAP_PERFMON are missing", result.stderr)
		self.assertIn("--no-bpf", result.stderr)

	def test_sock_diag_without_privileges(self):
		head, rows = lines("list", "--no-bpf", "--stale", launcher=NOBODY)
		self.assertEqual(head["source"], "sock_diag")
		self.assertIn("without BPF", head["gaps"][0])
		self.assertEqual([row["connection"]["local"] for row in rows], [self.name])
		self.assertNotIn("role", rows[0]["connection"])
		self.assertNotIn("keepalive", rows[0])

	def test_two_capabilities_are_enough(self):
		head, rows = lines("list", "--stale", launcher=TWO_CAPABILITIES)
		self.assertEqual(rows[0]["owner"]["pid"], os.getpid())
		self.assertEqual(head["gaps"], ["sockets of other network namespaces are not shown: CAP_SYS_ADMIN and "
		                                "CAP_SYS_PTRACE are missing"])
		head, rows = lines("list", "--stale", "--netns", "self", launcher=TWO_CAPABILITIES)
		self.assertEqual((head["gaps"], len(rows)), ([], 1))
		head, rows = lines("list", "--netns", "1", launcher=TWO_CAPABILITIES)
		self.assertEqual((len(head["gaps"]), rows), (1, []))

	def test_golden_lines_fit_the_schema(self):
		golden = Path(__file__).resolve().parents[1] / "golden"
		for name in ("snapshots/states.jsonl", "snapshot.json.txt"):
			with self.subTest(name):
				self.assertGreater(len(read_lines((golden / name).read_text())), 1)

	def test_wrong_usage(self):
		for arguments in [["--state", "CLOSED"], ["--columns", "x"], ["--sort", ""],
		                  ["--by", "colour"], ["--role", "server"], ["--remote", "host"]]:
			with self.subTest(arguments):
				result = run("list", *arguments)
				self.assertEqual(result.returncode, 2)
				self.assertEqual(result.stdout, "")
		self.assertEqual(run("top", "--json").returncode, 2)

	def test_top_in_batch_mode(self):
		result = run("top", "-b", "-n", "2", "-d", "0.1", "--json", "--netns", "self", "--stale")
		self.assertEqual(result.returncode, 0, result.stderr)
		records = read_lines(result.stdout)
		heads = [record for record in records if record["record"] == "snapshot"]
		self.assertEqual(len(heads), 2)
		self.assertEqual(len(records), 4)
		for head in heads:
			self.assertIn(head["hook_class"], ["tracepoint", "trampoline", "none"])
			self.assertEqual(head["lost"], {"dropped": 0, "missed": 0, "inferred": 0})

	def test_top_without_privileges_and_without_bpf(self):
		result = run("top", "-b", "-n", "1", "--no-bpf", launcher=NOBODY)
		self.assertEqual(result.returncode, 0, result.stderr)
		self.assertIn("by sock_diag", result.stdout)

	def test_no_terminal(self):
		result = run("top", "--no-verdicts")
		self.assertEqual(result.returncode, 1)
		self.assertIn("top needs a terminal", result.stderr)

	def test_stopped_at_any_time(self):
		"""The verifier gives up when its process is stopped: a debugger, a freezer, ^Z."""
		for tenths_of_a_millisecond in range(80):
			ours = subprocess.Popen([STALESOCK, "list", "--json", "--netns", "self", "--stale"],
			                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
			moment = time.perf_counter() + tenths_of_a_millisecond / 10_000
			while time.perf_counter() < moment:
				pass
			ours.send_signal(signal.SIGSTOP)
			ours.send_signal(signal.SIGCONT)
			output, errors = ours.communicate(timeout=120)
			self.assertEqual((ours.returncode, errors), (0, ""))
			self.assertEqual(len(read_lines(output)), 2)

	def test_a_reader_that_goes_is_no_failure(self):
		ours = subprocess.Popen([STALESOCK, "list", "--json"], stdout=subprocess.PIPE,
		                        stderr=subprocess.PIPE)
		ours.stdout.close()
		self.assertEqual(ours.wait(timeout=120), 0)
		ours.stderr.close()


if __name__ == "__main__":
	sys.stdout.flush()
	enter_private_network()
	unittest.main(verbosity=1)
