#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`stalesock list` against `ss -tanoie`, field by field, on more than 1,000 sockets in every TCP state.

ss runs between two snapshots: what it says has to lie between what they say, to one jiffy.
"""
import collections
import os
import re
import subprocess
import sys
import time

from contract import read_lines
from population import enter_private_network, raise_descriptor_limit
from states import Maker, prepare_network

STALESOCK = os.environ.get("STALESOCK", "build/stalesock")
TICK_MS = 10  # the longest: HZ 100
SS_STATES = {"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV",
             "FIN-WAIT-1": "FIN_WAIT1", "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT",
             "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK", "LISTEN": "LISTEN",
             "CLOSING": "CLOSING"}
AGES = {"lastsnd": "idle_ms", "lastrcv": "receive_age_ms"}
FIN_RECEIVED = {"CLOSE_WAIT", "LAST_ACK", "CLOSING"}
FIN_SENT = {"FIN_WAIT1", "CLOSING", "LAST_ACK"}


def make_sockets():
	maker = Maker()
	maker.established(150)
	maker.established(50, family=10, address="::1")
	maker.established(20, family=10, address="::ffff:127.0.0.1")
	maker.never_used(40)
	maker.unread(40)
	maker.close_wait(120)
	maker.time_wait(60)
	maker.orphaned_fin_wait2(30)
	maker.fin_wait1(10)
	maker.unacknowledged(30, "127.5.0.1", closing=True)
	maker.unacknowledged(30, "127.5.0.2", closing=False)
	maker.syn_sent(20)
	maker.syn_received(20)
	return maker


def endpoint(text):
	"""As ss prints it, in our words."""
	address, _, port = text.rpartition(":")
	address = address.split("%")[0].strip("[]").removeprefix("::ffff:")
	if port == "*" or (address in ("*", "0.0.0.0", "::") and port == "0"):
		return None
	address = "::" if address == "*" else address
	return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def milliseconds(text):
	"""Of a timer of ss, and how exact it is: "1min59sec" and "12sec" are cut, "9.960sec" is not. Older versions of ss
	write "9.960ms" for it."""
	if match := re.fullmatch(r"(\d+)min(?:(\d+)sec)?", text):
		return (60 * int(match[1]) + int(match[2] or 0)) * 1000, 60_000 if not match[2] else 1000
	if match := re.fullmatch(r"(\d+)sec", text):
		return int(match[1]) * 1000, 1000
	if match := re.fullmatch(r"(?:(\d+)\.)?(\d{3})(?:ms|sec)", text):
		return int(match[1] or 0) * 1000 + int(match[2]), 0
	raise ValueError(text)


def read_ss():
	output = subprocess.run(["ss", "-tanoieH"], check=True, capture_output=True, text=True).stdout
	sockets = {}
	for line in output.replace("\n\t", " ").splitlines():
		words = line.split()
		state = SS_STATES[words[0]]
		facts = {"state": state, "unread": int(words[1]), "unacked": int(words[2])}
		for word in words[5:]:
			name, _, value = word.partition(":")
			facts.setdefault(name, value)
		sockets[(endpoint(words[3]), endpoint(words[4]))] = facts
	return sockets


def read_ours(*options):
	output = subprocess.run([STALESOCK, "list", "--json", "--netns", "self", *options], check=True,
	                        capture_output=True, text=True).stdout
	head, *lines = read_lines(output)
	if head["gaps"] and not options:
		raise AssertionError(head)
	return {(line["connection"].get("local"), line["connection"].get("remote")): line
	        for line in lines}


class Comparison:
	def __init__(self):
		self.checked = collections.Counter()
		self.faults = []

	def check(self, name, key, ours, theirs, agree):
		self.checked[name] += 1
		if not agree:
			self.faults.append(f"{name} of {key}: ours {ours}, ss {theirs}")

	def equal(self, name, key, ours, theirs):
		self.check(name, key, ours, theirs, ours == theirs)

	def within(self, name, key, ours, theirs):
		"""Counters that may have moved between the looks."""
		self.check(name, key, ours, theirs, min(ours) <= theirs <= max(ours))

	def between(self, name, key, ours, theirs, slack=TICK_MS):
		"""Ages grow and times left shrink from the first of ours to the second."""
		low, high = min(ours) - slack, max(ours) + slack
		self.check(name, key, ours, theirs, low <= theirs <= high)


def compare_state(result, key, line, theirs):
	state = line["connection"]["state"]
	result.equal("state", key, "SYN_RECV" if state == "NEW_SYN_RECV" else state, theirs["state"])


def compare_queues(result, key, before, after, theirs):
	state, ours, later = theirs["state"], before.get("socket", {}), after.get("socket", {})
	if state == "LISTEN":
		result.equal("accept queue", key, [ours["accept_queue"], ours["accept_limit"]],
		             [theirs["unread"], theirs["unacked"]])
	elif "unread_bytes" in ours:
		fin = 1 if state in FIN_RECEIVED and theirs["unread"] > 0 else 0
		ours_fin = 1 if state in FIN_SENT and theirs["unacked"] > 0 or state == "SYN_SENT" else 0
		result.equal("unread", key, ours["unread_bytes"], theirs["unread"] - fin)
		result.within("unacked", key, [ours["unacked_bytes"], later["unacked_bytes"]],
		              theirs["unacked"] - ours_fin)


def compare_bytes(result, key, before, after, theirs):
	ours, later = before.get("socket", {}), after.get("socket", {})
	if "bytes_sent" not in ours:
		return
	sent = int(theirs.get("bytes_sent", 0)) - int(theirs.get("bytes_retrans", 0))
	fin = 1 if theirs["state"] in FIN_RECEIVED else 0
	received = int(theirs.get("bytes_received", fin)) - fin
	result.within("bytes sent", key, [ours["bytes_sent"], later["bytes_sent"]], sent)
	result.equal("bytes received", key, ours["bytes_received"], received)
	retransmitted = int(theirs.get("retrans", "0/0").split("/")[1])
	result.within("retransmits", key, [ours["retransmits"], later["retransmits"]], retransmitted)


def compare_ages(result, key, before, after, theirs):
	for name, ours in AGES.items():
		values = [line.get("socket", {}).get(ours) for line in (before, after)]
		if None not in values:
			result.between(name, key, values, int(theirs.get(name, 0)))
		elif name in theirs:
			counter = "bytes_sent" if name == "lastsnd" else "bytes_received"
			handshake = theirs["state"] in ("SYN_SENT", "SYN_RECV", "LISTEN", "TIME_WAIT")
			silent = int(theirs.get(counter, 0)) == (theirs["state"] in FIN_RECEIVED and name == "lastrcv")
			result.check(f"no {name}", key, values, theirs[name], handshake or silent)


def compare_timer(result, key, before, after, theirs):
	lines = [line.get("socket", {}) for line in (before, after)]
	if lines[0].get("timer") != lines[1].get("timer") or lines[0].get("timer_ms", 0) < \
			lines[1].get("timer_ms", 0):
		return  # it expired meanwhile
	if "timer" not in theirs:
		result.equal("timer", key, lines[0].get("timer"), None)
		return
	name, expires, tries = theirs["timer"].strip("()").split(",")
	result.equal("timer", key, lines[0].get("timer"), name)
	# They fall to 0 when a segment of the peer shows that a retransmission was needless (tcp_try_undo_loss).
	result.within("timer tries", key, [line["timer_tries"] for line in lines], int(tries))
	value, cut = milliseconds(expires) if expires else (0, 0)
	values = [line["timer_ms"] for line in lines]
	result.check("timer expiry", key, values, expires,
	             min(values) - cut - TICK_MS <= value <= max(values) + TICK_MS)


def shape(line):
	"""State and known fields. An orphan in FIN_WAIT_2 becomes a time-wait socket of the same state, which
	knows less (tcp_time_wait() in net/ipv4/tcp_minisocks.c)."""
	return line["connection"]["state"], "unacked_bytes" in line.get("socket", {})


def compare(before, theirs, after):
	result = Comparison()
	for key, facts in theirs.items():
		if key not in before or key not in after:
			result.faults.append(f"{key} {facts['state']} is not in our list")
			continue
		if shape(before[key]) != shape(after[key]):
			result.faults.append(f"{key} {facts['state']} changed between the looks")
			continue
		compare_state(result, key, before[key], facts)
		compare_queues(result, key, before[key], after[key], facts)
		compare_bytes(result, key, before[key], after[key], facts)
		compare_ages(result, key, before[key], after[key], facts)
		compare_timer(result, key, before[key], after[key], facts)
	for key in before.keys() - theirs.keys():
		result.faults.append(f"{key} is not in the list of ss")
	return result


def is_settled():
	"""No delayed ACK or loss probe is under way where nothing is unacknowledged for good."""
	output = subprocess.run(["ss", "-tanoH", "state", "established"], check=True,
	                        capture_output=True, text=True).stdout
	return "timer:(on" not in output


def report(title, result, theirs):
	states = collections.Counter(facts["state"] for facts in theirs.values())
	print(f"{title}: {len(theirs)} sockets: " + ", ".join(f"{v} {k}" for k, v in states.items()))
	print("  compared: " + ", ".join(f"{v} {k}" for k, v in sorted(result.checked.items())))
	for fault in result.faults[:20]:
		print("  " + fault)
	return states


def agrees(title, *options):
	before = read_ours(*options)
	theirs = read_ss()
	after = read_ours(*options)
	result = compare(before, theirs, after)
	states = report(title, result, theirs)
	missing = set(SS_STATES.values()) - states.keys()
	if missing:
		print(f"  no socket was in {missing}")
	return len(theirs) >= 1000 and not missing and not result.faults


def main():
	raise_descriptor_limit()
	enter_private_network()
	prepare_network()
	held = make_sockets()
	deadline = time.monotonic() + 30
	while not is_settled() and time.monotonic() < deadline:
		time.sleep(0.05)
	# Retransmissions go on in some states: one that falls between the looks is seen in the next round.
	for _ in range(8):
		good = [agrees("by iterators"), agrees("by sock_diag", "--no-bpf")]
		if all(good):
			return 0
	del held
	return 1


if __name__ == "__main__":
	sys.exit(main())
