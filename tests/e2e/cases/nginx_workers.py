# SPDX-License-Identifier: Apache-2.0
"""Two nginx workers share a listener: which of them got the connections."""

import contextlib

from expect import expect
from harness import Failure
from nginx import nginx, pid_of
from raw_client import RawClient

CONNECTIONS = 60
LEAST = 10  # that each worker gets of them where nothing keeps it from accepting
TWO_WORKERS = "user root; worker_processes 2;"


def _counts(lab, events):
    """Open connections of each worker, most first, as `list --by listener` has them."""
    with nginx(lab.folder, "", events="worker_connections 256; " + events, main=TWO_WORKERS) as port, lab.watching(), \
            contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            expect(stack.enter_context(RawClient(port)).get().status, 200, "a request")
        groups = lab.list("--by", "listener", "--local", f":{port}")
        of_peers = lab.peers_open(f"127.0.0.1:{port}", {group["owner"]["pid"] for group in groups})
        text = lab.list_text("--by", "listener", "--local", f":{port}")
        master = pid_of(lab.folder, port)
    expect(lab.verdicts(), [], "the verdicts")
    expect([(g["key"], g["states"]) for g in of_peers], [(g["key"], g["states"]) for g in groups], "what peers shows")
    expect([group["states"] for group in groups if group["owner"]["pid"] == master], [{"LISTEN": 1}], "the master's sockets")
    workers = [group for group in groups if group["owner"]["pid"] != master]
    expect({(group["owner"]["command"], group["key"]) for group in workers},
           {("nginx", f":{port} nginx ({group['owner']['pid']})") for group in workers}, "the workers' groups")
    for group in workers:
        if not any(line.split()[:4] == [*group["key"].split(), str(group["sockets"])] for line in text.splitlines()):
            raise Failure(f"{group['key']} with {group['sockets']} sockets is not in {text}")
    return [group["states"].get("ESTABLISHED", 0) for group in workers]


def accept_mutex(lab):
    """Who holds the mutex accepts everything: the other worker is shown, with nothing."""
    expect(_counts(lab, "accept_mutex on; accept_mutex_delay 10s;"), [CONNECTIONS, 0], "connections by worker")


def balanced(lab):
    """The default."""
    counts = _counts(lab, "")
    if len(counts) != 2 or sum(counts) != CONNECTIONS or min(counts) < LEAST:
        raise Failure(f"connections by worker: {counts}")
