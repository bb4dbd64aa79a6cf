# SPDX-License-Identifier: Apache-2.0
"""TLS in front: every client answers the server's close with a close_notify, and that is no reuse."""

import contextlib
import ssl
import subprocess
import time

from nginx_checks import check_close, check_owner, check_stale_reuse, sides
from expect import expect, expect_part, expect_same, expect_words, stream
from harness import running, wait_until
from nginx import nginx
from raw_client import SELF, RawClient

SETTINGS = """
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    keepalive_timeout 1s;
"""
CLOSE_NOTIFY = {"TLSv1.2": 31, "TLSv1.3": 24}  # bytes, with AES-GCM
OF_A_RECORD = {"TLSv1.2": 29, "TLSv1.3": 22}  # beside what is in it


def _tls_nginx(lab):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-keyout", lab.folder / "key.pem", "-out", lab.folder / "certificate.pem"],
                   check=True, capture_output=True)
    return nginx(lab.folder, SETTINGS.format(folder=lab.folder), listen=" ssl")


def _wrap(version):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[version]
    context.set_ciphers("ECDHE+AESGCM")
    return context.wrap_socket


def _check_close(lab, verdict, owner):
    """A close_notify comes with the FIN. Whether it can be told from a slow answer depends on when the kernel
    acknowledged it (README, "What it cannot see")."""
    doubtful = verdict["confidence"] == "likely"
    check_close(lab, verdict, owner, idle_ms=1000, inferred="that what came last was no answer" if doubtful else None)


def _check_farewell(lab, verdict, owner, size):
    truth = lab.capture.connection_from(verdict["connection"]["local"])
    expect_part(verdict, {"verdict": "farewell_write", "severity": "info", "confidence": "certain", "inferred": None,
                          "advice": None}, "verdict")
    check_owner(verdict, owner, "write")
    evidence = verdict["evidence"]
    expect_part(evidence, {"bytes_after_fin": size, "rst_received": True}, "evidence")
    expect([p.payload for p in truth.late_payload()], [size], "what the capture saw after the FIN")
    expect_same(evidence["fin_to_write_ms"], truth.fin_to_write_ms(), "fin_to_write_ms")


def _check_crossing(lab, verdict, side, owner, size):
    """The goodbye was on its way before the FIN was here. It is no request that crossed it."""
    truth = lab.capture.only_connection()
    expect(stream([verdict]), [(*side, "farewell_write")], "the stream")
    expect_part(verdict, {"severity": "info", "confidence": "certain", "inferred": None, "advice": None}, "verdict")
    check_owner(verdict, owner)
    unacked = size if truth.fin_of(truth.server) else None  # none: nginx has ended it by RST, with that goodbye unread
    expect_part(verdict["evidence"], {"unacked_at_fin": unacked, "bytes_after_fin": None}, "evidence")
    expect(truth.payloads(truth.client)[-1].payload, size, "what the capture saw last")  # a FIN may follow it


def _python_says_goodbye(lab, version):
    """Reads the server's close_notify, answers it and closes."""
    with _tls_nginx(lab) as port, lab.watching(), RawClient(port, _wrap(version)) as client:
        expect((client.get().status, client.socket.version()), (200, version), "the request")
        client.wait_for_fin()
        client.socket.unwrap()
    verdicts = lab.verdicts()
    expect(stream(verdicts), sides(client, "idle_close", "farewell_write"), "the stream")
    _check_close(lab, verdicts[0], SELF)
    _check_farewell(lab, verdicts[1], SELF, CLOSE_NOTIFY[version])


def goodbye_tls12(lab):
    _python_says_goodbye(lab, "TLSv1.2")


def goodbye_tls13(lab):
    _python_says_goodbye(lab, "TLSv1.3")


def _check_goodbye_taken_for_answer(lab, verdict, owner):
    """Idle time begins with what is taken for the answer, and the request's age is said beside it."""
    truth = lab.capture.connection_from(verdict["connection"]["local"])
    expect_part(verdict, {"confidence": "likely", "inferred": "that what came last was the answer"}, "limit_close")
    check_owner(verdict, owner)
    moment = truth.first_fin()[0]
    expect_same(verdict["evidence"]["idle_ms"], truth.since_payload_ms(truth.server, moment), "idle_ms")
    expect_same(verdict["evidence"]["send_age_ms"], truth.since_payload_ms(truth.client, moment), "send_age_ms")


def _s_client(lab, version):
    """Reads while it waits, and says goodbye at the server's goodbye: before or after it has the FIN. Of what came last
    nothing but its length tells that it is no answer, and not even that where the FIN came while it was being read."""
    arguments = ["openssl", "s_client", "-quiet", "-" + version.lower().replace("v", "").replace(".", "_"), "-connect"]
    with _tls_nginx(lab) as port, lab.watching():
        with running([*arguments, f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     stderr=subprocess.DEVNULL) as process:
            process.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            process.stdin.flush()
            wait_until(lambda: process.poll() is not None, "the end of s_client")
            expect_words(process.stdout.read().decode(), "^HTTP/1.1 200 OK", "the answer")
    owner = {"pid": process.pid, "command": "openssl", "unit": None}
    side = (lab.capture.only_connection().client, f"127.0.0.1:{port}")
    if lab.capture.only_connection().client_closed_first():
        return expect(stream(lab.verdicts()), [], "the stream")
    *closes, farewell = lab.verdicts()
    if not closes:
        return _check_crossing(lab, farewell, side, owner, CLOSE_NOTIFY[version])
    if closes[0]["verdict"] == "limit_close":
        _check_goodbye_taken_for_answer(lab, closes[0], owner)
    else:
        _check_close(lab, closes[0], owner)
    expect(stream(lab.verdicts()), [(*side, closes[0]["verdict"]), (*side, "farewell_write")], "the stream")
    _check_farewell(lab, farewell, owner, CLOSE_NOTIFY[version])


def s_client_tls12(lab):
    _s_client(lab, "TLSv1.2")


def s_client_tls13(lab):
    _s_client(lab, "TLSv1.3")


def _late_request(lab, version):
    """The same close, and a request instead of a goodbye. The server's close_notify lies unread under it. Three
    others said goodbye."""
    with _tls_nginx(lab) as port, lab.watching(), contextlib.ExitStack() as stack:
        late, *taught = [stack.enter_context(RawClient(port, _wrap(version))) for _ in range(4)]
        for client in (*taught, late):
            expect(client.get().status, 200, "a first request")
        for client in taught:
            client.wait_for_fin()
            client.socket.unwrap()
        time.sleep(0.5)
        sent, symptom = late.reuse()
    expect(sorted(stream(lab.verdicts())), sorted(
        [entry for client in taught for entry in sides(client, "idle_close", "farewell_write")] +
        sides(late, "idle_close", "stale_reuse")), "the stream")
    for verdict in lab.verdicts():
        if verdict["verdict"] == "idle_close":
            _check_close(lab, verdict, SELF)
        if verdict["verdict"] == "farewell_write":
            _check_farewell(lab, verdict, SELF, CLOSE_NOTIFY[version])
    reuse = lab.verdicts()[-1]
    check_stale_reuse(lab, reuse, SELF, sent + OF_A_RECORD[version], idle_ms=1000, fin_to_write_ms=500)
    expect_part(reuse["evidence"], {"late_head": "tls_data", "unread_bytes": CLOSE_NOTIFY[version]}, "evidence")
    expect_words(reuse["advice"], r"^keep pooled connections for less .*[(]keepalive_timeout in aiohttp", "advice")
    lab.row(f"nginx with {version}, Python client", symptom, reuse, "keepalive_timeout in aiohttp")


def late_request_tls12(lab):
    _late_request(lab, "TLSv1.2")


def late_request_tls13(lab):
    _late_request(lab, "TLSv1.3")
