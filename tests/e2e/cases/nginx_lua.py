# SPDX-License-Identifier: Apache-2.0
"""nginx as client: cosockets of its Lua module, whose pool looks at a connection when it is given one."""

import contextlib
import time

from nginx_checks import check_close, check_dirty_close, check_learned, check_stale_reuse, sides, teach
from expect import expect, expect_kinds, expect_near, expect_part, expect_same, expect_words, stream
from nginx import log_of, nginx, pid_of
from origin import ANSWER, late_bytes, late_fin, origin
from raw_client import RawClient

MODULES = """
master_process off;
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
"""
# Stops the whole worker.
BUSY = r"""
    lua_package_path "/usr/share/lua/5.1/?.lua;;";
    init_by_lua_block {
        function BUSY(seconds)
            ngx.update_time()
            local over = ngx.now() + seconds
            while ngx.now() < over do ngx.update_time() end
        end
    }
"""
# Answers with what a request to another server came to.
FETCH = r"""
    lua_socket_buffer_size 40;
    lua_socket_log_errors off;
    init_worker_by_lua_block {
        function FETCH(port, last, wait)
            local socket = ngx.socket.tcp()
            local function failed(step, problem)
                ngx.log(ngx.ERR, step, ": ", problem)
                ngx.say(step, ": ", problem)
            end
            assert(socket:connect("127.0.0.1", port))
            local reused = socket:getreusedtimes()
            assert(socket:send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            local _, problem = socket:receiveuntil(last)()
            if problem then return failed("receive", problem) end
            wait()
            local _, problem = socket:setkeepalive(10000, 10)
            if problem then return failed("setkeepalive", problem) end
            ngx.say("reused=", reused)
        end
    }
"""
LOCATION = "location {} {{ content_by_lua_block {{ {} }} }}\n"


def _front(lab, *locations):
    return nginx(lab.folder, BUSY + FETCH, "".join(LOCATION.format(*location) for location in locations), main=MODULES)


def _fetch_once(lab, then, wait):
    """What nginx says of its request to a server that does THEN, while it does WAIT itself; the verdicts, all of which
    are about that connection and belong to nginx."""
    with origin(ANSWER, then) as server:
        code = f"FETCH({server}, '\\r\\n\\r\\n', function() {wait} end)"
        with _front(lab, ("/", code)) as port, lab.watching(), RawClient(port) as client:
            said = client.get().body.decode().rstrip("\n")
            owner = {"pid": pid_of(lab.folder, port), "command": "nginx", "unit": None}
    expect_words(log_of(lab.folder, port), said, "nginx's log")  # a line of its own
    verdicts = lab.verdicts()
    local = lab.capture.only_connection(server).client
    expect({(v["connection"]["local"], v["connection"]["remote"]) for v in verdicts}, {(local, f"127.0.0.1:{server}")},
           "whom the verdicts are about")
    return said, owner, verdicts


def extra_bytes(lab):
    """One byte more than was asked for: the pool peeks, and nginx closes."""
    said, owner, verdicts = _fetch_once(lab, late_bytes(0.05), "BUSY(0.1)")
    expect(said, "setkeepalive: connection in dubious state", "what setkeepalive said")
    expect_kinds(verdicts, ["dirty_close"])
    expect(verdicts[0]["connection"]["role"], "active", "role")
    check_dirty_close(verdicts[0], owner, 1)
    evidence = verdicts[0]["evidence"]
    expect_part(evidence, {"bytes_received": len(ANSWER) + 1, "turns": 1}, "evidence")
    truth = lab.capture.connection_from(verdicts[0]["connection"]["local"])
    expect(truth.has_reset(truth.client), True, "the capture's RST")
    expect_same(evidence["idle_ms"], truth.since_payload_ms(truth.client, truth.times(truth.client, "R")[0]), "idle_ms")
    lab.row("OpenResty cosocket, a response with bytes left over", said, verdicts[0], "read what the peer sent before closing")


def fin_while_busy(lab):
    """The FIN comes while nginx computes, and the last read filled its buffer: the pool peeks, sees it and closes.
    Nothing was lost, so this is no problem, whatever the message sounds like."""
    said, owner, verdicts = _fetch_once(lab, late_fin(0.2), "BUSY(0.3)")
    expect(said, "setkeepalive: connection in dubious state", "what setkeepalive said")
    expect_kinds(verdicts, ["idle_close"])
    check_close(lab, verdicts[0], owner, idle_ms=200)
    lab.row("OpenResty cosocket, the server closed before `setkeepalive`", said, verdicts[0], "")


def fin_while_sleeping(lab):
    """nginx's event loop sees the FIN."""
    said, owner, verdicts = _fetch_once(lab, late_fin(0.2), "ngx.sleep(0.3)")
    expect(said, "setkeepalive: closed", "what setkeepalive said")
    expect_kinds(verdicts, ["idle_close"])
    check_close(lab, verdicts[0], owner, idle_ms=200)


def reuse_by_a_busy_worker(lab):
    """The FIN comes while the worker computes; then it takes that connection from its pool. Three other clients have
    let the server's timeout be learned."""
    with nginx(lab.folder, "keepalive_timeout 1s;") as server:
        fetch = f"FETCH({server}, 'hello\\n', function() end)"
        locations = [("/first", fetch), ("/busy", f"BUSY(0.4) {fetch}")]
        with _front(lab, *locations) as port, lab.watching(), contextlib.ExitStack() as stack:
            client, *taught = [stack.enter_context(RawClient(each)) for each in (port, server, server, server)]
            teach(taught)
            expect(client.get("/first").body, b"reused=0\n", "the first request")
            time.sleep(0.8)
            said = client.get("/busy").body.decode().rstrip("\n")
            owner = {"pid": pid_of(lab.folder, port), "command": "nginx", "unit": None}
    expect(said, "receive: closed", "what the second request came to")
    expect_words(log_of(lab.folder, port), said, "nginx's log")
    pooled = lab.capture.connections(server)[3].client
    expect(sorted(stream(lab.verdicts())), sorted(
        [entry for each in taught for entry in sides(each, "idle_close")] +
        [(pooled, f"127.0.0.1:{server}", kind) for kind in ("idle_close", "stale_reuse")]), "the stream")
    check_close(lab, next(v for v in lab.verdicts() if v["connection"]["local"] == pooled), owner, idle_ms=1000)
    reuse = lab.verdicts()[-1]
    check_stale_reuse(lab, reuse, owner, 35, idle_ms=1000, fin_to_write_ms=200)
    check_learned(reuse, 1000, 4)
    advised = expect_words(reuse["advice"], r"^keep pooled connections for less than (\d+) ms [(]", "advice")
    expect_near(float(advised[1]), 500, "advised", late=150)
    lab.row("OpenResty cosocket, a busy worker", said, reuse, "lua_socket_keepalive_timeout")
