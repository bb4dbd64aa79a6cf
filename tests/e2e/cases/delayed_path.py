# SPDX-License-Identifier: Apache-2.0
"""A request and the server's FIN cross on a path of 20 ms each way: the error of a stale connection, and no stale one."""

import contextlib

from checks import check_owner, check_sides
from expect import expect, expect_kinds, expect_part, expect_same
from harness import server
from programs import go, java
from steered import steered
from tunnel import DEVICE, HERE, THERE, delayed_path

PORT = 8080  # the namespace is ours
URL = f"http://{THERE}:{PORT}/"
DELAY = 0.02  # seconds each way; a client gets to its request in a fraction of that


@contextlib.contextmanager
def race(lab, client_arguments):
    """Yields the client; its POST is written while the FIN is on its way."""
    lab.capture.interface = DEVICE
    with contextlib.ExitStack() as stack:
        stack.enter_context(delayed_path(DELAY, PORT, lambda: client.tell("POST")))
        stack.enter_context(server(go("server", "-address", f"{HERE}:{PORT}", "-idle", "1s"), PORT,
                                   lab.folder / "server.log"))
        client = stack.enter_context(steered(client_arguments, lab.folder / "client.log"))
        stack.enter_context(lab.watching())
        expect(client.ask("GET").get("status"), 200, "the first request")
        yield client


def check_crossed(truth):
    """The request left before the FIN arrived, and the FIN had left without having seen the request."""
    request, fin = truth.payloads(truth.client)[-1], truth.fin_of(truth.server)
    expect(request.time < fin.time, True, "the request before the arrival of the FIN")
    expect(request.ack, fin.seq, "what the client had seen when it wrote")
    expect(fin.ack, request.seq, "what the server had seen at its FIN")
    return request, fin


def check_race(lab, client, command):
    truth = next(c for c in lab.capture.connections(PORT) if c.server == f"{THERE}:{PORT}")
    request, fin = check_crossed(truth)
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["reuse_race"])
    expect_part(verdicts[0], {"severity": "warning", "confidence": "certain"}, "verdict")
    check_sides(verdicts[0], truth)
    check_owner(verdicts[0], client.pid, command, "connect")
    evidence = verdicts[0]["evidence"]
    expect(evidence["unacked_at_fin"], request.payload, "unacked_at_fin")
    answer = truth.payloads(truth.server)[-1]
    expect_same(evidence["gap_ms"], (request.time - answer.time) * 1000, "gap_ms", tolerance=5)
    expect_same(evidence["idle_ms"], (fin.time - request.time) * 1000, "idle_ms", tolerance=5)
    expect(verdicts[0]["advice"].startswith("a check before reuse cannot prevent this: keep pooled connections for "
                                            "clearly less time than this server keeps idle ones ("), True, "the advice")
    return verdicts[0]


def go_client(lab):
    with race(lab, go("client", "-url", URL)) as client:
        outcome = client.answer()
    expect(outcome.get("error"), f'Post "{URL}": EOF', "the application's error")
    lab.row("Go 1.19, net/http, 20 ms away", outcome["error"], check_race(lab, client, "go-client"),
            "Transport.IdleConnTimeout in Go")


def http_client(lab):
    with race(lab, java("PooledClient", URL, "--validate-after", -1)) as client:
        outcome = client.answer()
    expect(outcome, {"error": f"org.apache.http.NoHttpResponseException: {THERE}:{PORT} failed to respond"},
           "the application's error")
    lab.row("Apache HttpClient 4.5, 20 ms away", outcome["error"], check_race(lab, client, "java"),
            "evictIdleConnections and setValidateAfterInactivity in Apache HttpClient")
