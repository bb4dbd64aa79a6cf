# SPDX-License-Identifier: Apache-2.0
"""A request over TLS after the server's FIN is a stale reuse, whatever farewell follows it."""

from checks import check_stale_reuse
from expect import expect
from cases.tls_farewell import check_observation
from tls import PORT, go_client, go_server, java_client, nginx_server, tomcat, used_once

NO_VALIDATION = ("--no-retry", "--validate-after", -1)
NO_RESPONSE = "org.apache.http.NoHttpResponseException: The target server failed to respond"
GO_ERRORS = ["EOF", "connection reset by peer"]
GO_SETTING = "Transport.IdleConnTimeout in Go"
JAVA_SETTING = "evictIdleConnections and setValidateAfterInactivity in Apache HttpClient"


def reuse(lab, system, server, client_arguments, command, errors, setting):
    """With several possible errors, which one it is depends on who is quicker."""
    with used_once(lab, server, client_arguments) as client:
        second = client.ask("POST")
    error = second.get("error", "")
    expect(any(error.endswith(words) for words in errors), True, f"the application's error, not {second},")
    truth = lab.capture.only_connection(PORT)
    verdicts = lab.verdicts()
    expect([v["verdict"] for v in verdicts], ["idle_close", "stale_reuse"], "the verdicts")
    check_observation(verdicts[0], truth, client.pid, command)
    check_stale_reuse(verdicts[1], truth, client.pid, command)
    expect(verdicts[1]["evidence"]["late_head"], "tls_data", "late_head")
    lab.row(system, error, verdicts[1], setting, by_chance=len(errors) > 1)


def go(lab, version):
    reuse(lab, f"Go 1.19, TLS {version}", go_server(lab, version), go_client("-no-reader"), "go-client",
          GO_ERRORS, GO_SETTING)


def java(lab, version):
    reuse(lab, f"Tomcat 10, Apache HttpClient 4.5, TLS {version}", tomcat(lab, version),
          java_client(version, *NO_VALIDATION), "java", [NO_RESPONSE], JAVA_SETTING)


def go_nginx_tls12(lab):
    reuse(lab, "nginx, Go 1.19, TLS 1.2", nginx_server(lab, "1.2"), go_client("-no-reader"), "go-client", GO_ERRORS, GO_SETTING)


def go_nginx_tls13(lab):
    reuse(lab, "nginx, Go 1.19, TLS 1.3", nginx_server(lab, "1.3"), go_client("-no-reader"), "go-client", GO_ERRORS, GO_SETTING)


def java_nginx_tls12(lab):
    reuse(lab, "nginx, Apache HttpClient 4.5, TLS 1.2", nginx_server(lab, "1.2"), java_client("1.2", *NO_VALIDATION), "java",
          [NO_RESPONSE], JAVA_SETTING)


def java_nginx_tls13(lab):
    reuse(lab, "nginx, Apache HttpClient 4.5, TLS 1.3", nginx_server(lab, "1.3"), java_client("1.3", *NO_VALIDATION), "java",
          [NO_RESPONSE], JAVA_SETTING)


def go_tls12(lab):
    go(lab, "1.2")


def go_tls13(lab):
    go(lab, "1.3")


def java_tls12(lab):
    java(lab, "1.2")


def java_tls13(lab):
    java(lab, "1.3")
