#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `stalesock doctor --json` must say on a kernel: check_doctor.py VERSION FILE.

VERSION is one of tests/vm/run.sh. `newest` is what its release says, 7.3 for example; one that is not in the tables has
no expectations but that watch works, and what it refuses is said.

A hook that exists but is refused is a program the verifier does not accept: its log is printed. Only where
trampolines cannot be attached at all may they be refused, and nothing else.
"""
import json
import sys

# Which program serves each need, as the automatic choice.
EXPECTED = {
	"6.1": {
		"payload head": "fentry/tcp_sendmsg_locked",
		"write after FIN": "fexit/tcp_sendmsg_locked",
		"pages about to be written": "fentry/do_tcp_sendpages",
		"pages written after FIN": "fexit/do_tcp_sendpages",
		"EOF read": "fexit/tcp_recvmsg",
		"EOF read by splice": "fexit/tcp_splice_read",
	},
	"6.12": {
		"payload head": "fentry/tcp_sendmsg_locked",
		"write after FIN": "tp_btf/sock_send_length",
		"EOF read": "tp_btf/sock_recv_length",
		"EOF read by splice": "fexit/tcp_splice_read",
	},
	"7.3": {
		"payload head": "tp_btf/tcp_sendmsg_locked",
		"write after FIN": "tp_btf/sock_send_length",
		"EOF read": "tp_btf/sock_recv_length",
		"EOF read by splice": "fexit/tcp_splice_read",
	},
	"6.1-arm64": {
		"write after FIN": "iter/tcp",
	},
}
EXPECTED["6.12-arm64"] = EXPECTED["6.12"]
HOOK_CLASS = {
	"6.1": "trampoline",
	"6.12": "trampoline",
	"7.3": "tracepoint",
	"6.12-arm64": "trampoline",
	"6.1-arm64": "none",
}
# How each sentence begins, in order.
GAPS = {
	"6.1-arm64": (
		"a TLS farewell and a request look the same",
		"a late write is seen by a scan",
		"a late write by sendfile or splice is reported when the connection ends",
		"whether the application had read the end of file is only known from counters",
		"an end of file read by splice() is not noticed",
	),
}
NO_TRAMPOLINES = "this kernel attaches no trampolines"
EVERYWHERE = {
	"state changes by the peer": "tp_btf/inet_sock_set_state",
	"state changes by processes": "tp_btf/inet_sock_set_state",
	"keepalive probe": "tp_btf/timer_expire_entry",
	"retransmission": "tp_btf/tcp_retransmit_skb",
	"end of socket": "tp_btf/tcp_destroy_sock",
	"inventory": "iter/tcp",
	"waiting sockets": "iter/tcp",
	"owners": "iter/task_file",
}
ABSENT = (
	"this kernel does not have it",
	"not needed: this kernel sends pages as messages",
	"the function has other parameters in this kernel",
)


def may_be_refused(version, hook):
	trampoline = hook["hook"].startswith(("fentry/", "fexit/"))
	return hook["detail"] in ABSENT or (
		HOOK_CLASS.get(version) == "none" and trampoline and hook["detail"] == NO_TRAMPOLINES
	)


def series_of(version, report):
	if version != "newest":
		return version
	return ".".join(report["release"].split(".")[:2])


def refusals(version, report):
	for hook in report["hooks"]:
		if not hook["available"] and not may_be_refused(version, hook):
			yield f"{hook['hook']} is refused: {hook['detail']}\n{hook.get('log', '')}"


def faults(version, report):
	if not report["works"]:
		yield f"watch would not work: {report['problems']}"
	if version not in EXPECTED:
		return
	chosen = {hook["need"]: hook["hook"] for hook in report["hooks"] if hook["chosen"]}
	expected = EVERYWHERE | EXPECTED[version]
	for need in expected.keys() | chosen.keys():
		if chosen.get(need) != expected.get(need):
			yield f"{need}: {chosen.get(need)} is in use, not {expected.get(need)}"
	if report.get("hook_class") != HOOK_CLASS[version]:
		yield f"class {report.get('hook_class')}, not {HOOK_CLASS[version]}"
	yield from refusals(version, report)
	gaps = GAPS.get(version, ())
	if len(report["gaps"]) != len(gaps) or not all(map(str.startswith, report["gaps"], gaps)):
		yield f"gaps: {report['gaps']}"


def main():
	version, path = sys.argv[1:]
	with open(path, encoding="utf-8") as file:
		report = json.load(file)
	version = series_of(version, report)
	if version not in EXPECTED:
		print(f"doctor on {version}: check_doctor.py knows no such kernel; class {report.get('hook_class')}")
		for refusal in refusals(version, report):
			print(f"doctor on {version}, not a failure: {refusal}")
	found = list(faults(version, report))
	for fault in found:
		print(f"doctor on {version}: {fault}", file=sys.stderr)
	return 1 if found else 0


if __name__ == "__main__":
	sys.exit(main())
