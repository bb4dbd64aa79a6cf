# SPDX-License-Identifier: Apache-2.0
"""nginx as server: its four limits, pipelining, and answers that come before the request is over."""

import time

from nginx_checks import APART, check_close, check_learned, check_stale_reuse, sides, teach
from expect import TIMER_MS, expect, expect_near, expect_part, expect_words, stream
from nginx import log_of, nginx
from raw_client import ESTABLISHED, SELF, RawClient


def check_limit_close(lab, verdict, turns, age_ms):
    check_close(lab, verdict, SELF, source=verdict["owner"]["source"])
    expect(verdict["verdict"], "limit_close", "verdict")
    expect(verdict["evidence"]["turns"], turns, "turns")
    expect_near(verdict["connection"]["age_ms"], age_ms, "age_ms", late=2 * TIMER_MS)


def keepalive_timeout(lab):
    """The header promises 20 s, the server means one: four closes have taught that before the late request."""
    with nginx(lab.folder, "keepalive_timeout 1s 20s;") as port, lab.watching():
        clients = []
        for _ in range(4):
            clients.append(RawClient(port))
            expect(clients[-1].get().getheader("Keep-Alive"), "timeout=20", "what nginx promises")
            time.sleep(APART)
        for client in clients:
            client.wait_for_fin()
        time.sleep(0.5)
        sent, symptom = clients[-1].reuse()
        for client in clients:
            client.close()
    closes = [entry for client in clients for entry in sides(client, "idle_close")]
    verdicts = lab.verdicts()
    expect(stream(verdicts), closes + sides(clients[-1], "stale_reuse"), "the stream")
    for close in verdicts[:4]:
        check_close(lab, close, SELF, idle_ms=1000)
    reuse = verdicts[-1]
    check_stale_reuse(lab, reuse, SELF, sent, idle_ms=1000, fin_to_write_ms=500)
    check_learned(reuse, 1000, 4)
    # nginx closes up to a millisecond early: its clock is that of the event before.
    expect_words(reuse["message"], r"closes connections idle for (1\.[0-2][0-9] s|99[0-9] ms) \([34] of 4 seen\)", "message")
    expect_words(reuse["advice"], r"^keep pooled connections for less than 5[0-9]0 ms \(", "advice")
    lab.row("nginx `keepalive_timeout`, Python client", symptom, reuse, "keepalive_timeout in aiohttp")


def keepalive_time(lab):
    """A request every 0.6 s: the one that finds the connection older than 2 s is the last."""
    with nginx(lab.folder, "keepalive_time 2s;") as port, lab.watching(), RawClient(port) as client:
        announced = []
        for _ in range(5):
            announced.append(client.get().getheader("Connection"))
            time.sleep(0.6)
        sent, symptom = client.reuse()
    expect(announced, 4 * ["keep-alive"] + ["close"], "what nginx announced")
    verdicts = lab.verdicts()
    expect(stream(verdicts), sides(client, "limit_close", "stale_reuse"), "the stream")
    check_limit_close(lab, verdicts[0], turns=5, age_ms=2400)
    check_stale_reuse(lab, verdicts[1], SELF, sent, fin_to_write_ms=600)
    expect_words(verdicts[1]["message"], "on a connection that the server had closed together with its response", "message")
    lab.row("nginx `keepalive_time`, Python client that ignores `Connection: close`", symptom, verdicts[1],
            "do not put such a connection back into the pool")


def keepalive_time_with_a_gap(lab):
    """The age is looked at when a request comes: no FIN in a silence of 3 s."""
    with nginx(lab.folder, "keepalive_time 2s;") as port, lab.watching(), RawClient(port) as client:
        expect(client.get().getheader("Connection"), "keep-alive", "the first response")
        time.sleep(3)
        expect(client.get().getheader("Connection"), "close", "the second response")
        expect(client.rest(), b"", "what came after it")
    verdicts = lab.verdicts()
    expect(stream(verdicts), sides(client, "limit_close"), "the stream")
    check_limit_close(lab, verdicts[0], turns=2, age_ms=3000)


def keepalive_requests(lab):
    """The third response is the last. At different ages, only the count is what three connections agree on."""
    clients = []
    with nginx(lab.folder, "keepalive_requests 3;") as port, lab.recording() as learned, lab.watching():
        for pause in (0.1, 0.3, 0.5):
            with RawClient(port) as client:
                clients.append(client)
                announced = []
                for _ in range(3):
                    time.sleep(pause)
                    announced.append(client.get().getheader("Connection"))
                expect(announced, ["keep-alive", "keep-alive", "close"], "what nginx announced")
                expect(client.rest(), b"", "what came after the last response")
    verdicts = lab.verdicts()
    expect(stream(verdicts), [entry for client in clients for entry in sides(client, "limit_close")], "the stream")
    for verdict, age_ms in zip(verdicts, (300, 900, 1500)):
        check_limit_close(lab, verdict, turns=3, age_ms=age_ms)
    peer = learned.peer(f"127.0.0.1:{port}")
    expect_part(peer["request_limit"], {"requests": 3}, "the learned limit")
    expect(peer.get("lifetime"), None, "a lifetime")


def worker_connections_idle(lab):
    """Seven connections fill the worker: the oldest idle one goes, long before its timeout."""
    with nginx(lab.folder, "keepalive_timeout 2s;", events="worker_connections 8;") as port, lab.watching():
        taught = [RawClient(port) for _ in range(3)]
        teach(taught)
        for client in taught:
            client.wait_for_fin()
            client.close()
        oldest = RawClient(port)
        oldest.get()
        time.sleep(0.15)  # shorter, and it could not be told from the end of the exchange
        others = []
        while oldest.state() == ESTABLISHED:
            others.append(RawClient(port))
            others[-1].get()
        oldest.wait_for_fin()
        time.sleep(0.2)
        sent, symptom = oldest.reuse()
        for client in (oldest, *others):
            client.close()
    said = expect_words(log_of(lab.folder, port), "8 worker_connections are not enough, reusing connections", "the log")
    verdicts = lab.verdicts()
    expect(stream(verdicts), [entry for client in taught for entry in sides(client, "idle_close")] +
           sides(oldest, "early_idle_close", "stale_reuse"), "the stream")
    early, reuse = verdicts[3:]
    check_close(lab, early, SELF, idle_ms=150)
    check_learned(early, 2000, 3)
    expect_words(early["advice"], "ran short of connections [(]nginx, for example, logs \"reusing connections\"", "advice")
    check_stale_reuse(lab, reuse, SELF, sent, idle_ms=150, fin_to_write_ms=200)
    lab.row("nginx `worker_connections`, idle connections", f"{said[0]}; client: {symptom}",
            early, "raise worker_connections")
