# SPDX-License-Identifier: Apache-2.0
"""Servers and clients that speak TLS with a certificate of the moment."""

import contextlib
import subprocess

from expect import expect
from harness import server
from nginx import nginx
from programs import go, java
from steered import steered

PORT = 8443  # the namespace is ours
URL = f"https://127.0.0.1:{PORT}/"
TIMEOUT_MS = 900  # less than the second between two looks of Tomcat's poller
KEY_OPTIONS = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost")


def certificate(folder):
    """The PEM files of a certificate and its key, which only signs itself."""
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", *KEY_OPTIONS, "-out", files[0], "-keyout", files[1]], check=True,
                   capture_output=True)
    return files


def go_server(lab, version):
    files = certificate(lab.folder)
    arguments = go("server", "-address", f"127.0.0.1:{PORT}", "-idle", f"{TIMEOUT_MS}ms", "-tls", version, "-certificate",
                   files[0], "-key", files[1])
    return server(arguments, PORT, lab.folder / "server.log")


def tomcat(lab, version):
    arguments = java("TomcatServer", PORT, TIMEOUT_MS, lab.folder / "tomcat", "--late", "--tls", f"TLSv{version}",
                     *certificate(lab.folder))
    return server(arguments, PORT, lab.folder / "server.log")


def nginx_server(lab, version):
    chain, key = certificate(lab.folder)
    settings = f"""
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv{version};
        keepalive_timeout {TIMEOUT_MS}ms;
    """
    return nginx(lab.folder, settings, listen=" ssl", port=PORT)


def go_client(*options):
    return go("client", "-url", URL, *options)


def java_client(version, *options):
    return java("PooledClient", URL, "--tls", f"TLSv{version}", *options)


@contextlib.contextmanager
def used_once(lab, running_server, client_arguments):
    """A client whose connection the server has closed."""
    with running_server, steered(client_arguments, lab.folder / "client.log") as client, lab.watching():
        expect(client.ask("GET").get("status"), 200, "the first request")
        lab.wait_for("idle_close")
        yield client
