# SPDX-License-Identifier: Apache-2.0
"""TLS 1.2 and 1.3 between Go and Java, either as the server, and nginx as the server of both: whoever closes after the server says farewell
(close_notify), which looks like reuse and draws an RST, and is no problem."""

from checks import check_owner, check_sides
from expect import TIMER_MS, expect, expect_idle, expect_near, expect_part, expect_same
from harness import run_client
from nginx_checks import check_learned
from tls import PORT, TIMEOUT_MS, go_client, go_server, java_client, nginx_server, tomcat, used_once

CLOSE_NOTIFY = {"1.2": 31, "1.3": 24}
PADDED = 40  # TLS 1.3 in Java
VALIDATION = ("--validate-after", 100)


def check_observation(verdict, truth, pid, command):
    """The server's close_notify came just before its FIN, and could have been a late answer, unless our silence since
    an earlier ACK tells otherwise."""
    expect_part(verdict, {"verdict": "idle_close", "severity": "info"}, "verdict")
    likely = verdict["confidence"] == "likely"
    expect(verdict.get("inferred"), "that what came last was no answer" if likely else None, "inferred")
    check_sides(verdict, truth)
    check_owner(verdict, pid, command, "connect")
    expect_idle(verdict["evidence"]["idle_ms"], truth, "idle_ms")


def check_farewell(verdict, truth, pid, command, sizes):
    certain = PADDED not in sizes
    expect_part(verdict, {"verdict": "farewell_write", "severity": "info", "confidence": "certain" if certain else "likely",
                          "inferred": None if certain else "that so short a TLS record is no request"}, "verdict")
    check_sides(verdict, truth)
    check_owner(verdict, pid, command, "write")
    late = sum(p.payload for p in truth.late_payload())
    expect(late in sizes, True, f"{late} bytes among {sizes}")
    evidence = verdict["evidence"]
    expect(evidence["bytes_after_fin"], late, "bytes_after_fin")
    expect(evidence["rst_received"], truth.has_reset(truth.server), "rst_received")
    expect_same(evidence["fin_to_write_ms"], truth.fin_to_write_ms(), "fin_to_write_ms")


def farewell_after_the_fin(lab, server, client_arguments, command, sizes, again="GET"):
    """The client only learns of the end when it is used again: its farewell surely comes after the FIN."""
    with used_once(lab, server, client_arguments) as client:
        client.ask(again)
    truth = lab.capture.connections(PORT)[0]
    verdicts = [v for v in lab.verdicts() if v["connection"]["local"] == truth.client]
    expect([v["verdict"] for v in verdicts], ["idle_close", "farewell_write"], "the verdicts")
    expect([v for v in lab.verdicts() if v["severity"] != "info"], [], "anything worse")
    check_observation(verdicts[0], truth, client.pid, command)
    check_farewell(verdicts[1], truth, client.pid, command, sizes)
    answer = [p for p in truth.payloads(truth.server) if p.payload > PADDED][-1]  # not its farewell
    fin = truth.fin_of(truth.server)
    expect_near((fin.time - answer.time) * 1000, TIMEOUT_MS, "the server's timeout", late=1000 + TIMER_MS)


def go_to_go_tls12(lab):
    farewell_after_the_fin(lab, go_server(lab, "1.2"), go_client("-no-reader"), "go-client", [31], "CLOSE")


def go_to_go_tls13(lab):
    farewell_after_the_fin(lab, go_server(lab, "1.3"), go_client("-no-reader"), "go-client", [24], "CLOSE")


def go_to_tomcat_tls12(lab):
    farewell_after_the_fin(lab, tomcat(lab, "1.2"), go_client("-no-reader"), "go-client", [31], "CLOSE")


def go_to_tomcat_tls13(lab):
    farewell_after_the_fin(lab, tomcat(lab, "1.3"), go_client("-no-reader"), "go-client", [24], "CLOSE")


def java_to_go_tls12(lab):
    farewell_after_the_fin(lab, go_server(lab, "1.2"), java_client("1.2", *VALIDATION), "java", [31])


def java_to_go_tls13(lab):
    """40 bytes, and at times the same again."""
    farewell_after_the_fin(lab, go_server(lab, "1.3"), java_client("1.3", *VALIDATION), "java", [PADDED, 2 * PADDED])


def java_to_tomcat_tls12(lab):
    farewell_after_the_fin(lab, tomcat(lab, "1.2"), java_client("1.2", *VALIDATION), "java", [31])


def java_to_tomcat_tls13(lab):
    farewell_after_the_fin(lab, tomcat(lab, "1.3"), java_client("1.3", *VALIDATION), "java", [PADDED, 2 * PADDED])


def go_to_nginx_tls12(lab):
    farewell_after_the_fin(lab, nginx_server(lab, "1.2"), go_client("-no-reader"), "go-client", [31], "CLOSE")


def go_to_nginx_tls13(lab):
    farewell_after_the_fin(lab, nginx_server(lab, "1.3"), go_client("-no-reader"), "go-client", [24], "CLOSE")


def java_to_nginx_tls12(lab):
    farewell_after_the_fin(lab, nginx_server(lab, "1.2"), java_client("1.2", *VALIDATION), "java", [31])


def java_to_nginx_tls13(lab):
    farewell_after_the_fin(lab, nginx_server(lab, "1.3"), java_client("1.3", *VALIDATION), "java", [PADDED, 2 * PADDED])


def crossing_farewells(lab, version):
    """net/http reads all the time: its farewell crosses the server's FIN, comes before it or after it, or makes the
    server's close an RST. None of that is a problem of anybody. Each of these closes could be a slow answer, and still
    they teach the server's timeout, because they agree."""
    with go_server(lab, version), lab.watching():
        # What closes at one moment is one observation: three bursts teach.
        bursts = (10, 10, 200)
        outputs = [run_client(go_client("-burst", str(burst), "-pause", "1500ms", "-ports", str(20000 + 1000 * i)))[1]
                   for i, burst in enumerate(bursts)]
    expect([output.count('"status":200') for output in outputs], list(bursts), "answers")
    worse = [v for v in lab.verdicts() if v["severity"] != "info"]
    expect([(v["verdict"], v["message"]) for v in worse], [], "anything worse than an observation")
    truths = {truth.client: truth for truth in lab.capture.connections(PORT)}
    farewells = [v for v in lab.verdicts() if v["verdict"] == "farewell_write" and v["connection"]["role"] == "active"]
    for verdict in farewells:
        late = truths[verdict["connection"]["local"]].has_late_payload()
        expect(verdict["evidence"].get("bytes_after_fin"), CLOSE_NOTIFY[version] if late else None, "bytes_after_fin")
    expect(len(truths), 2 * sum(bursts), "connections")
    closes = [v for v in lab.verdicts() if v["verdict"] == "idle_close" and v["connection"]["role"] == "active"]
    for verdict in closes:
        truth = truths[verdict["connection"]["local"]]
        check_observation(verdict, truth, verdict["owner"]["pid"], "go-client")
    check_learned(closes[-1], TIMEOUT_MS, len(closes))


def crossing_farewells_tls12(lab):
    crossing_farewells(lab, "1.2")


def crossing_farewells_tls13(lab):
    crossing_farewells(lab, "1.3")
