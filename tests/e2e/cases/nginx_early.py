# SPDX-License-Identifier: Apache-2.0
"""nginx as server: no room for a connection, pipelining, and answers that come before the request is over."""

import contextlib
import socket
import time

from nginx_checks import by_side, check_close, check_owner, sides
from expect import expect, expect_part, expect_same, expect_words, stream
from nginx import log_of, nginx, pid_of
from raw_client import SELF, RawClient

CHUNK = 20 * 1024
REST = 6  # chunks that are sent after the answer


def worker_connections_busy(lab):
    """Seven half-sent requests and the listener hold the worker's connections. The next client's request is there
    when nginx accepts (`deferred`), and closes."""
    with nginx(lab.folder, "", events="worker_connections 8;", listen=" deferred") as port, lab.watching(), \
            contextlib.ExitStack() as stack:
        for _ in range(7):
            stack.enter_context(RawClient(port)).send("GET / HTTP/1.1\r\n")
        client = stack.enter_context(RawClient(port))
        sent, symptom = client.reuse()
        groups = lab.list("--by", "listener", "--local", f":{port}", "--state", "ESTABLISHED")
        server = {"pid": pid_of(lab.folder, port), "command": "nginx", "unit": None}
    expect([(group["owner"]["pid"], group["sockets"]) for group in groups], [(server["pid"], 7)], "connections by process")
    said = expect_words(log_of(lab.folder, port), r"8 worker_connections are not enough(?=\n)", "nginx's log")
    own, (refused,) = by_side(lab, client)
    expect(own, [], "what the server's socket is told: the client's verdict says it")
    expect_part(refused, {"verdict": "unanswered_close", "severity": "warning", "confidence": "likely",
                          "inferred": "that the peer had read the request before its RST"}, "verdict")
    check_owner(refused, SELF)
    expect_part(refused["evidence"], {"rst_received": True, "bytes_sent": sent, "bytes_received": 0}, "evidence")
    expect_words(refused["advice"], "a limit or a timeout in the server's log", "advice")
    lab.row("nginx `worker_connections`, busy connections", f"{said[0]}; client: {symptom}", refused,
            "a limit or a timeout in the server's log")


def pipelining(lab):
    """Three requests in one segment, two responses, FIN. No counter of a socket tells that the third was a request
    of its own: what is seen is a close with a response."""
    with nginx(lab.folder, "keepalive_requests 2;") as port, lab.watching(), RawClient(port) as client:
        sent = client.send(3 * "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = client.rest()
    expect(answers.count(b"HTTP/1.1 200 OK"), 2, "responses")
    verdicts = lab.verdicts()
    expect(stream(verdicts), sides(client, "limit_close"), "the stream")
    check_close(lab, verdicts[0], SELF)
    expect_part(verdicts[0]["evidence"], {"bytes_sent": sent, "bytes_received": len(answers), "turns": 1}, "evidence")


def _upload(lab, settings, first):
    """A 502 comes after the head and the FIRST bytes, for no server is behind nginx. The client sends on for 0.2 s
    before it reads. Also what each of its late sends brought."""
    with contextlib.ExitStack() as stack:
        nobody = stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))  # held, and nobody listens: as a free port it could be nginx's own, which serves itself
        proxy = f"location / {{ proxy_pass http://127.0.0.1:{nobody.getsockname()[1]}; proxy_request_buffering off; }}"
        port = stack.enter_context(nginx(lab.folder, settings, proxy))
        stack.enter_context(lab.watching())
        client = stack.enter_context(RawClient(port))
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {first + REST * CHUNK}\r\n\r\n"
        client.send(head + first * "x")
        client.wait_for_the_end()
        outcomes = []
        for _ in range(REST):
            time.sleep(0.03)
            try:
                outcomes.append(client.send(CHUNK * "x"))
            except OSError as error:
                outcomes.append(f"{type(error).__name__}: {error}")
        answer = client.rest()
    expect_words(answer.decode(), "^HTTP/1.1 502 ", "the answer")
    expect_words(log_of(lab.folder, port), r"connect\(\) failed \(111: Connection refused\)", "nginx's log")
    return client, len(answer), outcomes


def _check_early_response(lab, verdict, *, answer, late, reset, inferred=None):
    truth = lab.capture.connection_from(verdict["connection"]["local"])
    expect_part(verdict, {"verdict": "early_response", "severity": "info", "inferred": inferred,
                          "confidence": "likely" if inferred else "certain", "advice": None}, "verdict")
    evidence = verdict["evidence"]
    expect_part(evidence, {"bytes_after_fin": late, "rst_received": reset, "unread_bytes": answer}, "evidence")
    expect(truth.has_reset(), reset, "the capture's RST")
    if late:
        check_owner(verdict, SELF, "write")
        expect_same(evidence["fin_to_write_ms"], truth.fin_to_write_ms(), "fin_to_write_ms")


def early_answer_lingering(lab):
    """nginx reads what still comes: no RST, nothing is lost, no reuse."""
    client, answer, outcomes = _upload(lab, "lingering_close always;", CHUNK)
    expect(outcomes, REST * [CHUNK], "the late sends")
    verdicts = lab.verdicts()
    expect(stream(verdicts), sides(client, "early_response"), "the stream")
    _check_early_response(lab, verdicts[0], answer=answer, late=REST * CHUNK, reset=False)


def early_answer_not_lingering(lab):
    """nginx has read all that came, and closes: the first late write is answered by an RST."""
    client, answer, outcomes = _upload(lab, "lingering_close off;", 100)
    expect(outcomes, [CHUNK] + (REST - 1) * ["BrokenPipeError: [Errno 32] Broken pipe"], "the late sends")
    verdicts = lab.verdicts()
    expect(stream(verdicts), sides(client, "early_response"), "the stream")
    _check_early_response(lab, verdicts[0], answer=answer, late=CHUNK, reset=True)


def early_answer_abort(lab):
    """nginx closes with a part of the body unread: an RST and no FIN."""
    client, answer, outcomes = _upload(lab, "lingering_close off;", CHUNK)
    expect(outcomes, ["ConnectionResetError: [Errno 104] Connection reset by peer"] +
           (REST - 1) * ["BrokenPipeError: [Errno 32] Broken pipe"], "the late sends")
    own, (early,) = by_side(lab, client)
    expect(own, [], "what the server's socket is told: the client's verdict says it")
    _check_early_response(lab, early, answer=answer, late=None, reset=True,
                          inferred="that the request was still being sent")
    check_owner(early, SELF)
    lab.row("nginx `lingering_close off`, Python client", outcomes[0], early, "")
