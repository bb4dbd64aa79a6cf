# SPDX-License-Identifier: Apache-2.0
"""What a verdict has to say of a connection that a capture has seen."""

from expect import expect, expect_idle, expect_part, expect_same
from harness import Failure


def check_sides(verdict, truth, role="active"):
    local, remote = (truth.client, truth.server) if role == "active" else (truth.server, truth.client)
    expect_part(verdict["connection"], {"local": local, "remote": remote, "role": role, "family": "ipv4"}, "connection")


def check_owner(verdict, pid, command, source):
    """None of these programs runs in a unit."""
    expect(verdict["owner"], {"pid": pid, "command": command, "source": source}, "owner")


def check_idle_close(verdict, truth, pid, command):
    expect_part(verdict, {"verdict": "idle_close", "severity": "info", "confidence": "certain"}, "verdict")
    check_sides(verdict, truth)
    check_owner(verdict, pid, command, "connect")
    expect_idle(verdict["evidence"]["idle_ms"], truth, "idle_ms")


def check_stale_reuse(verdict, truth, pid, command):
    # A peer that takes what comes after its FIN may have ended only its own sending, unless it is a request.
    known = truth.has_reset(truth.server) or verdict["evidence"]["late_head"] == "http_request"
    confidence = "certain" if known else "likely"
    expect_part(verdict, {"verdict": "stale_reuse", "severity": "error", "confidence": confidence}, "verdict")
    check_sides(verdict, truth)
    check_owner(verdict, pid, command, "write")
    evidence = verdict["evidence"]
    expect(evidence["bytes_after_fin"], sum(p.payload for p in truth.late_payload()), "bytes_after_fin")
    expect(evidence.get("rst_received", False), truth.has_reset(truth.server), "rst_received")
    expect_idle(evidence["idle_ms"], truth, "idle_ms")
    expect_same(evidence["fin_to_write_ms"], truth.fin_to_write_ms(), "fin_to_write_ms")


def advised_limit(timeout_ms):
    """As advice says it: min(0.8 timeout, timeout - 1 s), but not less than half, with two digits."""
    limit = max(timeout_ms / 2, min(timeout_ms * 0.8, timeout_ms - 1000))
    step = 10.0 ** (len(str(int(limit))) - 2)
    rounded = round(limit / step) * step
    return f"{rounded:.0f} ms" if rounded < 1000 else f"{rounded / 1000:.1f} s"


def check_learned(verdict, shortest_ms, longest_ms):
    """Peer facts, and a number in the advice that follows from them."""
    peer = verdict.get("peer")
    if not peer or not shortest_ms <= peer["idle_timeout_ms"] <= peer["idle_timeout_ms"] + peer["spread_ms"] <= longest_ms:
        raise Failure(f"learned: {peer}, not {shortest_ms} to {longest_ms} ms")
    expect(f"for less than {advised_limit(peer['idle_timeout_ms'])} (" in verdict["advice"], True,
           f"the limit in {verdict['advice']!r}")
