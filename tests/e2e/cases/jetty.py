# SPDX-License-Identifier: Apache-2.0
"""Jetty 9 as the server, Apache HttpClient 4.5 without validation as the client. Jetty does not announce its timeout."""

import contextlib

from checks import check_idle_close, check_stale_reuse
from expect import expect, expect_kinds, expect_near
from harness import owners_of_closing, server, wait_until
from programs import java
from steered import steered

PORT = 8080  # the namespace is ours
TIMEOUT_MS = 1000
SYSTEM = "Jetty 9, Apache HttpClient 4.5"
SETTING = "evictIdleConnections and setValidateAfterInactivity in Apache HttpClient"
NO_RESPONSE = {"error": "org.apache.http.NoHttpResponseException: The target server failed to respond"}


@contextlib.contextmanager
def _jetty(lab):
    client_arguments = java("PooledClient", f"http://127.0.0.1:{PORT}/", "--no-retry", "--validate-after", -1)
    with server(java("JettyServer", PORT, TIMEOUT_MS), PORT, lab.folder / "jetty.log"), \
            steered(client_arguments, lab.folder / "client.log") as client, lab.watching():
        expect(client.ask("GET"), {"status": 200}, "the first request")
        lab.wait_for("idle_close")
        yield client


def check_reuse(lab, client, reset):
    truth = lab.capture.only_connection(PORT)
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["idle_close", "stale_reuse"])
    check_idle_close(verdicts[0], truth, client.pid, "java")
    check_stale_reuse(verdicts[1], truth, client.pid, "java")
    expect_near(truth.quiet_ms(), TIMEOUT_MS, "Jetty's timeout")
    expect(truth.has_reset(truth.server), reset, "an RST")
    return verdicts[1]


def discarded(lab):
    """Between its FIN and its close(), another timeout later, Jetty reads what comes and throws it away: no RST."""
    with _jetty(lab) as client:
        expect(owners_of_closing(PORT), 1, "connections that Jetty still holds")
        second = client.ask("GET")
    expect(second, NO_RESPONSE, "the second request")
    lab.row(SYSTEM + ", soon after the FIN", second["error"], check_reuse(lab, client, reset=False), SETTING)


def reset(lab):
    """After its close() an RST answers."""
    with _jetty(lab) as client:
        wait_until(lambda: not owners_of_closing(PORT), "Jetty's close()")
        second = client.ask("GET")
    expect(second, NO_RESPONSE, "the second request")
    verdict = check_reuse(lab, client, reset=True)
    closed_ms = verdict["evidence"]["fin_to_write_ms"] - verdict["other_end"]["close_age_ms"]
    expect_near(closed_ms, TIMEOUT_MS, "from Jetty's FIN to its close()")
    lab.row(SYSTEM + ", later", second["error"], verdict, SETTING)
