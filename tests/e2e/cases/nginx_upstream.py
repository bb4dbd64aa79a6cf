# SPDX-License-Identifier: Apache-2.0
"""nginx as client: the keep-alive pool of an upstream, in front of an nginx that closes sooner than the pool does."""

import contextlib
import time

from nginx_checks import check_close, check_learned, check_stale_reuse, sides, teach
from cases.nginx_lua import BUSY, MODULES
from expect import expect, expect_near, expect_words, stream
from nginx import log_of, nginx, pid_of
from raw_client import RawClient

SETTINGS = """
    upstream pool {{
        server 127.0.0.1:{};
        keepalive 8;
        keepalive_timeout {};
    }}
"""
LOCATIONS = """
    location /busy { content_by_lua_block { BUSY(0.4); ngx.say("done") } }
    location / {
        proxy_pass http://pool;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
    }
"""
PREMATURELY = "upstream prematurely closed connection while reading response header from upstream"


@contextlib.contextmanager
def _proxy(lab, server, hold):
    """Yields nginx's port and its owner."""
    settings = BUSY + SETTINGS.format(server, hold)
    with nginx(lab.folder, settings, LOCATIONS, main=MODULES) as port:
        yield port, {"pid": pid_of(lab.folder, port), "command": "nginx", "unit": None}


def _late_request(lab, method):
    """Three clients of the server itself let its timeout of 1 s be learned. nginx's pool holds a connection for 60 s;
    the worker is busy when the FIN comes, and takes up a request that had been there before it."""
    with nginx(lab.folder, "keepalive_timeout 1s;") as server, _proxy(lab, server, "60s") as (port, owner), \
            lab.watching(), contextlib.ExitStack() as stack:
        waiting, busy, *taught = [stack.enter_context(RawClient(p)) for p in (port, port, server, server, server)]
        teach(taught)
        expect(waiting.get().status, 200, "a first request")
        time.sleep(0.8)
        busy.ask("/busy")
        time.sleep(0.05)
        waiting.ask(method=method)
        answer = waiting.answer()
        expect(busy.answer().body, b"done\n", "the busy one")
    said = expect_words(log_of(lab.folder, port), PREMATURELY, "nginx's log")[0]
    truth = lab.capture.connections(server)
    pooled = truth[3].client
    side = (pooled, f"127.0.0.1:{server}")
    expect(sorted(stream(lab.verdicts())), sorted([entry for each in taught for entry in sides(each, "idle_close")] +
                                                  [(*side, "idle_close"), (*side, "stale_reuse")]), "the stream")
    check_close(lab, next(v for v in lab.verdicts() if v["connection"]["local"] == pooled), owner, idle_ms=1000)
    reuse = lab.verdicts()[-1]
    check_stale_reuse(lab, reuse, owner, truth[3].late_payload()[0].payload, idle_ms=1000, fin_to_write_ms=200)
    check_learned(reuse, 1000, 4)
    advised = expect_words(reuse["advice"], r"^keep pooled connections for less than (\d+) ms "
                           r"[(]keepalive_timeout in the upstream block", "advice")
    expect_near(float(advised[1]), 500, "advised", late=150)
    return answer, len(truth), said, reuse


def reuse_of_a_post(lab):
    """What is not safe to repeat fails."""
    answer, connections, said, reuse = _late_request(lab, "POST")
    expect((answer.status, connections), (502, 4), "the answer, and connections to the server")
    lab.row("nginx `upstream` with `keepalive`, a busy worker", said, reuse, "keepalive_timeout in the upstream block")


def reuse_hidden_by_a_retry(lab):
    """nginx repeats a GET on another connection: the client notices nothing, stalesock does."""
    answer, connections, _, _ = _late_request(lab, "GET")
    expect((answer.status, connections), (200, 5), "the answer, and connections to the server")


def pool_closes_first(lab):
    """The advice followed: nginx's pool gives connections up before the server does, and there is nothing to say."""
    with nginx(lab.folder, "keepalive_timeout 2s;") as server, _proxy(lab, server, "500ms") as (port, _), \
            lab.watching(), RawClient(port) as client:
        for _ in range(2):
            expect(client.get().status, 200, "a request")
            time.sleep(1)
    expect(stream(lab.verdicts()), [], "the stream")
    truth = lab.capture.connections(server)
    expect([each.first_fin()[1] == each.client for each in truth], [True, True], "who closed first")
