# SPDX-License-Identifier: Apache-2.0
"""nginx with a keep-alive timeout of one second, and clients that reuse later than that."""

import json
import re
import socket
import sys
import time
from pathlib import Path

from harness import Failure, Watch, bring_loopback_up, nginx, run_client, scratch_folder

KEEPALIVE = "keepalive_timeout 1s;"
IDLE_MS = 1000.0
PAUSE = 1.5  # seconds between two requests of a client
TOLERANCE_MS = 250.0  # of the server's timer and the client's sleep on a busy machine
POOLED_CLIENT = ["/usr/bin/python3", "-B", str(Path(__file__).with_name("pooled_client.py"))]


def expect(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def expect_near(found, expected, what, early=10.0):
    """At most `early` ms (one jiffy) before the expected time, and not long after it."""
    if not expected - early <= found <= expected + TOLERANCE_MS:
        raise Failure(f"{what}: expected about {expected} ms, found {found} ms")


def stream(verdicts):
    """Who got which verdict, in order: (local, remote, verdict)."""
    return [(v["connection"]["local"], v["connection"]["remote"], v["verdict"]) for v in verdicts]


def run_pooled_client(port, *options):
    pid, output, _ = run_client([*POOLED_CLIENT, str(port), str(PAUSE), *options])
    first, second = (json.loads(line) for line in output.splitlines())
    return pid, first, second


def check_reuse(verdict, pid, bytes_sent):
    expect(verdict["severity"], "error", "severity")
    expect(verdict["confidence"], "certain", "confidence")
    expect(verdict["connection"]["role"], "active", "role")
    owner = verdict["owner"]
    expect((owner["pid"], owner["command"], owner["source"]), (pid, "python3", "write"), "owner")
    evidence = verdict["evidence"]
    expect(evidence["bytes_after_fin"], bytes_sent, "bytes_after_fin")
    expect(evidence["rst_received"], True, "rst_received")
    expect_near(evidence["idle_ms"], IDLE_MS, "idle_ms")
    expect_near(evidence["fin_to_write_ms"], PAUSE * 1000 - IDLE_MS, "fin_to_write_ms", TOLERANCE_MS)


def late_reuse(watch, folder):
    """The pool does not look before it reuses: one error, with all its numbers."""
    with nginx(folder, KEEPALIVE) as port, watch():
        pid, first, second = run_pooled_client(port)
    expect(first.get("status"), 200, "the first request")
    if second.get("error") not in ("RemoteDisconnected", "ConnectionResetError"):
        raise Failure(f"the second request: {second}")
    side = (first["local"], f"127.0.0.1:{port}")
    verdicts = watch.verdicts()
    expect(stream(verdicts), [(*side, "idle_close"), (*side, "stale_reuse")], "the stream")
    expect_near(verdicts[0]["evidence"]["idle_ms"], IDLE_MS, "idle_ms")
    check_reuse(verdicts[1], pid, second["bytes"])


def careful_pool(watch, folder):
    """The pool looks, closes and connects again: an observation, no problem."""
    with nginx(folder, KEEPALIVE) as port, watch():
        _, first, second = run_pooled_client(port, "--check")
    expect((first.get("status"), second.get("status")), (200, 200), "the requests")
    side = (first["local"], f"127.0.0.1:{port}")
    expect(stream(watch.verdicts()), [(*side, "idle_close")], "the stream")


def curl_reconnects(watch, folder):
    """curl looks before it reuses: it reconnects, and nothing went wrong."""
    with nginx(folder, KEEPALIVE) as port, watch():
        url = f"http://127.0.0.1:{port}/"
        _, output, errors = run_client(["curl", "-sSv", "--rate", "40/m", url, url])
    expect(output, "hello\nhello\n", "what curl printed")
    expect(errors.count("Connected to"), 2, "connections of curl")
    verdicts = watch.verdicts()
    expect([v["verdict"] for v in verdicts], ["idle_close"], "the stream")
    expect_near(verdicts[0]["evidence"]["idle_ms"], IDLE_MS, "idle_ms")
    expect(verdicts[0]["connection"]["remote"], f"127.0.0.1:{port}", "remote")
    expect(verdicts[0]["owner"]["command"], "curl", "owner")


def learned_timeout(watch, folder):
    """Four connections that the server closes teach its timeout; the fifth is reused too late."""
    with nginx(folder, KEEPALIVE) as port, watch():
        for _ in range(4):
            read_to_the_end(port)
        run_pooled_client(port)
    verdicts = watch.verdicts()
    expect([v["verdict"] for v in verdicts], 5 * ["idle_close"] + ["stale_reuse"], "the stream")
    expect(["peer" in v for v in verdicts], [False, False, True, True, True, True], "who has a peer")
    peer = verdicts[-1]["peer"]
    expect_near(peer["idle_timeout_ms"], IDLE_MS, "idle_timeout_ms")
    expect_near(peer["idle_timeout_ms"] + peer["spread_ms"], IDLE_MS, "the longest of them")
    if not 3 <= peer["observations"] <= 5:
        raise Failure(f"observations: {peer}")
    advice = re.search("for less than ([0-9]+) ms [(]", verdicts[-1]["advice"])
    if not advice or not IDLE_MS / 2 - 5 <= float(advice[1]) <= (IDLE_MS + TOLERANCE_MS) / 2 + 5:
        raise Failure(f"advice: {verdicts[-1]['advice']}")
    if " of 5 seen)" not in verdicts[-1]["message"]:
        raise Failure(f"message: {verdicts[-1]['message']}")


def read_to_the_end(port):
    """One request, and everything until the server's FIN; the local end of the connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        host, local_port = connection.getsockname()
        while connection.recv(65536):
            pass
    return f"{host}:{local_port}"


def request_limit(watch, folder):
    """The server closes with its response: a limit, not an idle timeout."""
    with nginx(folder, KEEPALIVE + " keepalive_requests 1;") as port, watch():
        local = read_to_the_end(port)
    expect(stream(watch.verdicts()), [(local, f"127.0.0.1:{port}", "limit_close")], "the stream")


ALL = (late_reuse, careful_pool, curl_reconnects, request_limit, learned_timeout)
CASES = {case.__name__: case for case in ALL}


def run_case(name):
    start = time.monotonic()
    with scratch_folder() as folder:
        watch = Watch(folder)
        try:
            CASES[name](watch, folder)
        except Exception as error:  # whatever went wrong, the stream explains it
            print(f"FAIL {name}: {type(error).__name__}: {error}", flush=True)
            watch.show()
            return False
    print(f"ok   {name} ({time.monotonic() - start:.1f} s)", flush=True)
    return True


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return 0
    unknown = [name for name in arguments if name not in CASES]
    if unknown:
        print(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}", file=sys.stderr)
        return 2
    bring_loopback_up()
    results = [run_case(name) for name in arguments or CASES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
