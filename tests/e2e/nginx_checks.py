# SPDX-License-Identifier: Apache-2.0
"""What the cases ask of a verdict, beside the capture."""

import time

from expect import TIMER_MS, expect, expect_idle, expect_near, expect_part, expect_same, expect_words
from harness import Failure

PROBLEMS = ("notice", "warning", "error")


def sides(client, *kinds):
    """The stream of one connection: (local, remote, verdict)."""
    return [(client.local, client.remote, kind) for kind in kinds]


def expect_no_problem(lab):
    problems = [v for v in lab.verdicts() if v["severity"] in PROBLEMS]
    if problems:
        raise Failure(f"problems: {[(v['verdict'], v['message']) for v in problems]}")


def check_owner(verdict, owner, source="connect"):
    expect_part(verdict["owner"], {**owner, "source": source}, f"owner of {verdict['verdict']}")


def check_dirty_close(verdict, owner, unread):
    """A close threw bytes away."""
    expect_part(verdict, {"verdict": "dirty_close", "severity": "warning", "confidence": "certain"}, "verdict")
    check_owner(verdict, owner, "close")
    expect_part(verdict["evidence"], {"unread_bytes": unread, "rst_sent": True}, "evidence")
    expect_words(verdict["advice"], "^read what the peer sent before closing", "advice")


def check_close(lab, verdict, owner, idle_ms=None, source="connect", inferred=None):
    """idle_close and its like: the idle time is the capture's, and about the one that was configured."""
    truth = lab.capture.connection_from(verdict["connection"]["local"])
    expect_part(verdict, {"confidence": "likely" if inferred else "certain", "inferred": inferred}, verdict["verdict"])
    expect(verdict["connection"]["role"], "active", "role")
    check_owner(verdict, owner, source)
    expect_idle(verdict["evidence"]["idle_ms"], truth, f"idle_ms of {verdict['verdict']}")
    if idle_ms is not None:
        expect_near(verdict["evidence"]["idle_ms"], idle_ms, f"idle_ms of {verdict['verdict']}")


def check_stale_reuse(lab, verdict, owner, sent, *, idle_ms=None, fin_to_write_ms=None, reset=True):
    truth = lab.capture.connection_from(verdict["connection"]["local"])
    expect_part(verdict, {"verdict": "stale_reuse", "severity": "error", "confidence": "certain", "inferred": None},
                "verdict")
    expect_part(verdict["connection"], {"role": "active", "state": "CLOSE_WAIT"}, "connection")
    check_owner(verdict, owner, "write")
    evidence = verdict["evidence"]
    expect_part(evidence, {"bytes_after_fin": sent, "rst_received": reset, "unacked_at_fin": 0, "eof_read": False,
                           "peeked": False}, "evidence")
    expect(sum(p.payload for p in truth.late_payload()), sent, "bytes that the capture saw after the FIN")
    expect(truth.has_reset(), reset, "the capture's RST")
    expect_idle(evidence["idle_ms"], truth, "idle_ms")
    expect_same(evidence["fin_to_write_ms"], truth.fin_to_write_ms(), "fin_to_write_ms")
    if idle_ms is not None:
        expect_near(evidence["idle_ms"], idle_ms, "idle_ms")
    if fin_to_write_ms is not None:
        expect_near(evidence["fin_to_write_ms"], fin_to_write_ms, "fin_to_write_ms", early=TIMER_MS)


APART = 0.95  # seconds: what closes within 0.9 s is one observation, as a restart closes everything at once


def teach(clients):
    """Closes far enough from each other to be observations of their own."""
    for client in clients:
        expect(client.get().status, 200, "a first request")
        time.sleep(APART)


def check_learned(verdict, idle_timeout_ms, observations):
    peer = verdict["peer"]
    expect_near(peer["idle_timeout_ms"], idle_timeout_ms, "idle_timeout_ms")
    expect_near(peer["idle_timeout_ms"] + peer["spread_ms"], idle_timeout_ms, "the longest of them")
    if not 3 <= peer["observations"] <= observations:
        raise Failure(f"observations: {peer}")


def by_side(lab, client):
    """What the server's and what the client's socket of its connection were told, and nothing else was."""
    def told(local, remote):
        return [v for v in lab.verdicts() if (v["connection"]["local"], v["connection"]["remote"]) == (local, remote)]
    server, own = told(client.remote, client.local), told(client.local, client.remote)
    expect(len(server) + len(own), len(lab.verdicts()), "verdicts on this connection, of all verdicts")
    return server, own
