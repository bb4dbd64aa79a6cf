# SPDX-License-Identifier: Apache-2.0
"""What Prometheus reads of the daemon."""

import socket
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from harness import PATIENCE, Connection, Failure, expect, fixture, stale_reuse, wait_until

REUSES = 7


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def scrape(port):
    """{(name, labels): value}, as Prometheus reads it; None while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(port, key):
    """One sample; nothing while nobody listens."""
    return (scrape(port) or {}).get(key)


def of_kind(verdict, severity):
    return ("stalesock_verdicts_total", (("severity", severity), ("verdict", verdict)))


def configure(daemon, text):
    (daemon.folder / "stalesock.toml.d" / "10-metrics.toml").write_text(text)


def metrics():
    """Exact counts, collapsed verdicts too; zeros before the first; how the watch is doing."""
    port = free_port()
    with fixture("") as (journal, daemon):
        configure(daemon, f'[metrics]\nlisten = "127.0.0.1:{port}"\n[verdicts]\ncollapse = 2\n[connections]\nmax = 999\n')
        daemon.start()
        before = wait_until(lambda: scrape(port), "the metrics")
        expect(before[of_kind("stale_reuse", "error")], 0.0, "stale reuses before the first")
        expect(sum(1 for name, _ in before if name == "stalesock_verdicts_total"), 18, "verdicts")
        server = free_port()
        connections = [Connection(server) for _ in range(REUSES)]
        for connection in connections:
            connection.close_passive()
            connection.write_late()
        after = wait_until(lambda: (found := scrape(port)) and found[of_kind("stale_reuse", "error")] == REUSES and found,
                           "the count of stale reuses")
        expect(after[of_kind("idle_close", "info")], float(REUSES), "idle closes")
        expect(after[("stalesock_connections_limit", ())], 999.0, "limit")
        for reason in ("dropped", "missed", "malformed"):
            expect(after[("stalesock_events_lost_total", (("reason", reason),))], 0.0, reason)
        wait_until(lambda: (counted(port, ("stalesock_events_total", ())) or 0) >= 4 * REUSES, "the count of events")
        info = [dict(labels) for name, labels in after if name == "stalesock_info"]
        expect(len(info), 1, "stalesock_info")
        start = journal.wait_for("STALESOCK_RECORD=start")[0]
        expect(info[0]["hook_class"], start["STALESOCK_HOOK_CLASS"], "hook class")
        expect(len(journal.wait_for("STALESOCK_VERDICT=stale_reuse", count=2)), 2, "records in the journal")
        for connection in connections:
            connection.close()
        expect(daemon.stop(), 0, "exit code")


def metrics_without_an_address():
    """The daemon does its work, says what is wrong, and takes the address when it can have it; a reload takes it back."""
    port = free_port()
    with fixture("") as (journal, daemon):
        configure(daemon, f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
        with socket.create_server(("127.0.0.1", port)):
            daemon.start()
            problem = f"metrics cannot be read at 127.0.0.1:{port}: Address already in use"
            wait_until(lambda: problem in daemon.manager.status(), "the problem in the status")
            if problem not in daemon.errors():
                raise Failure(daemon.errors())
            reuse = stale_reuse()
            journal.wait_for("STALESOCK_VERDICT=stale_reuse", reuse.match())
        found = wait_until(lambda: scrape(port), "the metrics")
        expect(found[of_kind("stale_reuse", "error")], 1.0, "what happened before anybody could read")
        wait_until(lambda: "metrics" not in daemon.manager.status(), "the status without a problem")
        configure(daemon, "")
        daemon.reload()
        expect(scrape(port), None, "the metrics after a reload without them")
        expect(daemon.stop(), 0, "exit code")


def a_reader_that_does_not_ask():
    """Who connects and says nothing holds up neither the daemon nor, for long, another reader."""
    port = free_port()
    with fixture("") as (journal, daemon):
        configure(daemon, f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
        daemon.start()
        with socket.create_connection(("127.0.0.1", port)):
            reuse = stale_reuse()
            journal.wait_for("STALESOCK_VERDICT=stale_reuse", reuse.match())
            wait_until(lambda: (found := scrape(port)) and found[of_kind("stale_reuse", "error")] == 1.0, "the count")
        expect(daemon.stop(), 0, "exit code")


CASES = (metrics, metrics_without_an_address, a_reader_that_does_not_ask)
