# SPDX-License-Identifier: Apache-2.0
"""nginx with a keep-alive timeout of one second, and clients that reuse later than that."""

import json
import socket
import sys
from pathlib import Path

from expect import TIMER_MS, expect, expect_idle, expect_kinds, expect_near, expect_part, expect_same, expect_words, stream
from harness import Failure, run_client
from nginx import nginx

KEEPALIVE = "keepalive_timeout 1s;"
IDLE_MS = 1000.0
PAUSE = 1.5  # seconds between two requests of a client
POOLED_CLIENT = [sys.executable, "-B", str(Path(__file__).parents[1] / "clients" / "pooled_client.py")]


def run_pooled_client(port, *options):
    pid, output, _ = run_client([*POOLED_CLIENT, str(port), str(PAUSE), *options])
    first, second = (json.loads(line) for line in output.splitlines())
    return pid, first, second


def check_reuse(lab, verdict, pid, bytes_sent):
    truth = lab.capture.connections()[0]
    expect_part(verdict, {"severity": "error", "confidence": "certain"}, "verdict")
    expect(verdict["connection"]["role"], "active", "role")
    expect_part(verdict["owner"], {"pid": pid, "command": "python3", "source": "write", "unit": None}, "owner")
    evidence = verdict["evidence"]
    expect_part(evidence, {"bytes_after_fin": bytes_sent, "rst_received": True}, "evidence")
    expect_near(evidence["idle_ms"], IDLE_MS, "idle_ms")
    expect_near(evidence["fin_to_write_ms"], PAUSE * 1000 - IDLE_MS, "fin_to_write_ms", early=TIMER_MS)
    expect_idle(evidence["idle_ms"], truth, "idle_ms")
    expect_same(evidence["fin_to_write_ms"], truth.fin_to_write_ms(), "fin_to_write_ms")
    other_end = verdict["other_end"]
    expect_part(other_end, {"command": "nginx", "source": "close", "unit": None}, "other_end")
    expect_same(other_end["close_age_ms"], truth.fin_to_write_ms(), "close_age_ms")
    expect_words(verdict["message"], r"the other end is on this host: nginx \(pid [0-9]+\) had closed [0-9]+ ms before",
                 "message")


def late_reuse(lab):
    """The pool does not look before it reuses: one error, with all its numbers."""
    with nginx(lab.folder, KEEPALIVE) as port, lab.watching():
        pid, first, second = run_pooled_client(port)
    expect(first.get("status"), 200, "the first request")
    if second.get("error") not in ("RemoteDisconnected", "ConnectionResetError"):
        raise Failure(f"the second request: {second}")
    side = (first["local"], f"127.0.0.1:{port}")
    verdicts = lab.verdicts()
    expect(stream(verdicts), [(*side, "idle_close"), (*side, "stale_reuse")], "the stream")
    expect_near(verdicts[0]["evidence"]["idle_ms"], IDLE_MS, "idle_ms")
    check_reuse(lab, verdicts[1], pid, second["bytes"])


def careful_pool(lab):
    """The pool looks, closes and connects again: an observation, no problem."""
    with nginx(lab.folder, KEEPALIVE) as port, lab.watching():
        _, first, second = run_pooled_client(port, "--check")
    expect((first.get("status"), second.get("status")), (200, 200), "the requests")
    side = (first["local"], f"127.0.0.1:{port}")
    expect(stream(lab.verdicts()), [(*side, "idle_close")], "the stream")


def curl_reconnects(lab):
    """curl looks before it reuses: it reconnects, and nothing went wrong."""
    with nginx(lab.folder, KEEPALIVE) as port, lab.watching():
        url = f"http://127.0.0.1:{port}/"
        _, output, errors = run_client(["curl", "-q", "-sSv", "--rate", "40/m", url, url])
    expect(output, "hello\nhello\n", "what curl printed")
    expect(errors.count("Connected to"), 2, "connections of curl")
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["idle_close"])
    expect_near(verdicts[0]["evidence"]["idle_ms"], IDLE_MS, "idle_ms")
    expect(verdicts[0]["connection"]["remote"], f"127.0.0.1:{port}", "remote")
    expect(verdicts[0]["owner"]["command"], "curl", "owner")


def agree(times):
    """Three closes within 50 ms teach a timeout."""
    ordered = sorted(times)
    return any(third - first <= 50 for first, third in zip(ordered, ordered[2:]))


def learned_timeout(lab):
    """Four connections that the server closes teach its timeout; the fifth is reused too late."""
    with nginx(lab.folder, KEEPALIVE) as port, lab.watching():
        for _ in range(4):
            read_to_the_end(port)
        run_pooled_client(port)
    verdicts = lab.verdicts()
    expect_kinds(verdicts, 5 * ["idle_close"] + ["stale_reuse"])
    times = [each.quiet_ms() for each in lab.capture.connections(port)]  # by a late timer, three may not agree yet
    learned = [agree(times[:count]) for count in range(1, 6)]
    expect(["peer" in v for v in verdicts], [*learned, True], "who has a peer")
    peer = verdicts[-1]["peer"]
    expect_near(peer["idle_timeout_ms"], IDLE_MS, "idle_timeout_ms")
    expect_near(peer["idle_timeout_ms"] + peer["spread_ms"], IDLE_MS, "the longest of them")
    if not 3 <= peer["observations"] <= 5:
        raise Failure(f"observations: {peer}")
    advised = expect_words(verdicts[-1]["advice"], "for less than ([0-9]+) ms [(]", "advice")
    if not IDLE_MS / 2 - 5 <= float(advised[1]) <= (IDLE_MS + TIMER_MS) / 2 + 5:
        raise Failure(f"advice: {verdicts[-1]['advice']}")
    expect_words(verdicts[-1]["message"], " of 5 seen[)]", "message")


def read_to_the_end(port):
    """One request, and everything until the server's FIN; the local end of the connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        host, local_port = connection.getsockname()
        while connection.recv(65536):
            pass
    return f"{host}:{local_port}"


def request_limit(lab):
    """The server closes with its response: a limit, not an idle timeout."""
    with nginx(lab.folder, KEEPALIVE + " keepalive_requests 1;") as port, lab.watching():
        local = read_to_the_end(port)
    expect(stream(lab.verdicts()), [(local, f"127.0.0.1:{port}", "limit_close")], "the stream")
