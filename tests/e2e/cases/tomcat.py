# SPDX-License-Identifier: Apache-2.0
"""Tomcat 10 as the server, Apache HttpClient 4.5 as the client: a pool that validates, and one that does not."""

import contextlib
import time

from checks import check_idle_close, check_learned, check_stale_reuse
from expect import TIMER_MS, expect, expect_kinds, expect_near
from harness import has_open_connections, owners_of_closing, server, wait_until
from programs import java
from steered import steered

PORT = 8080  # the namespace is ours
URL = f"http://127.0.0.1:{PORT}/"
TIMEOUT_MS = 900  # less than the second between two looks of Tomcat's poller: closed at the first one
LATE = ("--late",)  # close() a second after the FIN, so that no RST answers what comes within it
COUNT = 4  # closes; three that agree within 50 ms teach
LATEST_MS = TIMEOUT_MS + 1000 + TIMER_MS  # Tomcat looks for idle connections once a second
SYSTEM = "Tomcat 10, Apache HttpClient 4.5"
NO_RESPONSE = "org.apache.http.NoHttpResponseException: 127.0.0.1:8080 failed to respond"
NO_RESPONSE_NO_RETRY = "org.apache.http.NoHttpResponseException: The target server failed to respond"
OK = {"status": 200}
NO_VALIDATION = ("--validate-after", -1)
SETTING = "evictIdleConnections and setValidateAfterInactivity in Apache HttpClient"


@contextlib.contextmanager
def tomcat(lab, *options, timeout_ms=TIMEOUT_MS, server_options=()):
    """Tomcat, the client with these options, and stalesock."""
    arguments = java("TomcatServer", PORT, timeout_ms, lab.folder / "tomcat", *server_options)
    with server(arguments, PORT, lab.folder / "tomcat.log"), \
            steered(java("PooledClient", URL, *options), lab.folder / "client.log") as client, lab.watching():
        yield client


def wait_for_close(lab, count=1):
    """Tomcat's close() follows its FIN by up to a second: only then an RST answers what comes."""
    lab.wait_for("idle_close", count)
    wait_until(lambda: not owners_of_closing(PORT), "Tomcat's close()", 3)


def check_reuse(lab, client, reset=True):
    """One connection that was closed and used again, and nothing else was said."""
    truth = lab.capture.connections(PORT)[0]
    verdicts = lab.verdicts()
    expect_kinds(verdicts, ["idle_close", "stale_reuse"])
    check_idle_close(verdicts[0], truth, client.pid, "java")
    check_stale_reuse(verdicts[1], truth, client.pid, "java")
    expect_near(truth.quiet_ms(), TIMEOUT_MS, "Tomcat's timeout", late=LATEST_MS - TIMEOUT_MS)
    expect(truth.has_reset(truth.server), reset, "an RST")
    expect(f"keep pooled connections for less time than this server keeps idle ones ({SETTING}, " in
           verdicts[1]["advice"], True, "the setting")
    return verdicts[1]


def check_handled(lab, client, connections):
    """Every connection that the server closed is an observation, and nothing else was said."""
    truths = lab.capture.connections(PORT)
    expect(len(truths), connections, "connections")
    closed = [t for t in truths if t.first_fin() and t.first_fin()[1] == t.server]
    verdicts = lab.verdicts()
    expect_kinds(verdicts, len(closed) * ["idle_close"])
    for verdict, truth in zip(verdicts, closed):
        check_idle_close(verdict, truth, client.pid, "java")
        expect(truth.late_payload(), [], "late payload")
    return closed


def no_validation(lab):
    """GET on a connection that Tomcat has closed."""
    with tomcat(lab, "--no-retry", *NO_VALIDATION) as client:
        expect(client.ask("GET"), OK, "the first request")
        wait_for_close(lab)
        second = client.ask("GET")
    expect(second, {"error": NO_RESPONSE_NO_RETRY}, "the second request")
    lab.row(SYSTEM + ", no validation, no retry", second["error"], check_reuse(lab, client), SETTING)


def no_validation_post(lab):
    """A POST is not retried by itself. When enough closes agree on the timeout, the advice has a number."""
    answers = []
    with tomcat(lab, *NO_VALIDATION, server_options=LATE) as client:
        for number in range(1, COUNT + 1):
            expect(client.ask("POST"), OK, "the first request of a connection")
            lab.wait_for("idle_close", number)
            answers.append(client.ask("POST"))
    expect(answers, COUNT * [{"error": NO_RESPONSE}], "the second requests")
    truths = lab.capture.connections(PORT)
    verdicts = lab.verdicts()
    expect_kinds(verdicts, COUNT * ["idle_close", "stale_reuse"])
    for i, truth in enumerate(truths):
        check_idle_close(verdicts[2 * i], truth, client.pid, "java")
        check_stale_reuse(verdicts[2 * i + 1], truth, client.pid, "java")
    if "peer" in verdicts[-1]:
        check_learned(verdicts[-1], TIMEOUT_MS - 10, LATEST_MS)
    lab.row(SYSTEM + ", no validation, POST", answers[-1]["error"], verdicts[-1], SETTING)


def hidden_by_a_retry(lab):
    """The application sees 200 and a line in its log."""
    with tomcat(lab, *NO_VALIDATION) as client:
        answers = [client.ask("GET")]
        wait_for_close(lab)
        answers.append(client.ask("GET"))
    expect(answers, [OK, OK], "the requests")
    log = [line for line in (lab.folder / "client.log").read_text().splitlines() if line.startswith("INFO: ")]
    expect(log, ["INFO: I/O exception (org.apache.http.NoHttpResponseException) caught when processing request to "
                 "{}->http://127.0.0.1:8080: The target server failed to respond",
                 "INFO: Retrying request to {}->http://127.0.0.1:8080"], "the client's log")
    expect(len(lab.capture.connections(PORT)), 2, "connections")
    lab.row(SYSTEM + ", retry on", log[0], check_reuse(lab, client), SETTING)


def no_reset_at_all(lab):
    """A write between Tomcat's FIN and its close() is taken and thrown away: the same exception, and no RST."""
    with tomcat(lab, "--no-retry", *NO_VALIDATION, server_options=LATE) as client:
        expect(client.ask("GET"), OK, "the first request")
        lab.wait_for("idle_close")
        expect(owners_of_closing(PORT), 1, "connections that Tomcat still holds")
        second = client.ask("GET")
    expect(second, {"error": NO_RESPONSE_NO_RETRY}, "the second request")
    verdict = check_reuse(lab, client, reset=False)
    expect(verdict["message"].count("no answer can come"), 1, "what the message says of the answer")
    lab.row(SYSTEM + ", within a second of the FIN", second["error"], verdict, SETTING)


def validation(lab):
    """A pool that looks after 200 ms of inactivity reads the end of file, closes and connects again."""
    with tomcat(lab, "--no-retry", "--validate-after", 200) as client:
        answers = [client.ask("GET")]
        wait_for_close(lab)
        answers.append(client.ask("GET"))
    expect(answers, [OK, OK], "the requests")
    expect(len(check_handled(lab, client, connections=2)), 1, "connections that Tomcat closed")


def validation_gap(lab):
    """HttpClient looks after 2 s by default; Tomcat's timeout is below that."""
    with tomcat(lab, "--no-retry", server_options=LATE) as client:
        expect(client.ask("GET"), OK, "the first request")
        lab.wait_for("idle_close")
        second = client.ask("GET")
    expect(second, {"error": NO_RESPONSE_NO_RETRY}, "the second request")
    verdict = check_reuse(lab, client, reset=False)
    lab.row(SYSTEM + ", default validation (2 s), server's timeout below that", second["error"], verdict, SETTING)


def half_of_timeout(lab):
    """A pool that keeps connections for half of what the server announces closes first: nothing to say."""
    with tomcat(lab, "--no-retry", *NO_VALIDATION, "--half-of-timeout", timeout_ms=2000,
                server_options=["--announce"]) as client:
        answers = [client.ask("GET")]
        time.sleep(1.2)  # more than half
        answers.append(client.ask("GET"))
    expect(answers, [OK, OK], "the requests")
    expect(check_handled(lab, client, connections=2), [], "connections that Tomcat closed")


def eviction(lab):
    """evictIdleConnections below the server's timeout, as the advice has it: nothing to say."""
    with tomcat(lab, "--no-retry", *NO_VALIDATION, "--evict-idle", 500, timeout_ms=2000) as client:
        answers = [client.ask("GET")]
        wait_until(lambda: not has_open_connections(PORT), "the eviction")
        answers.append(client.ask("GET"))
    expect(answers, [OK, OK], "the requests")
    expect(check_handled(lab, client, connections=2), [], "connections that Tomcat closed")
