# SPDX-License-Identifier: Apache-2.0
"""What `stalesock peers` advises whoever runs the client and whoever runs the server, after some idle closes."""

import contextlib
import json
import signal
import subprocess

from checks import advised_limit
from expect import TIMER_MS, expect, expect_kinds, expect_near
from harness import PATIENCE, STALESOCK, running, server, wait_until
from programs import go, java
from steered import steered

PORT = 8080  # the namespace is ours
SIDE = f"127.0.0.1:{PORT}"
URL = f"http://{SIDE}/"
TIMEOUT_MS = 900  # less than the second between two looks of Tomcat's poller
MOST = 8  # closes; three that agree within 50 ms teach
JAVA_CLIENT = ("PooledClient", URL, "--validate-after", 100)
JAVA_SERVER = "keepAliveTimeout of Tomcat's connector, idleTimeout of Jetty's"


@contextlib.contextmanager
def recorded(folder):
    """Yields the file; it is complete after the block."""
    file, log = folder / "events.stalesock", folder / "record.log"
    arguments = [STALESOCK, "record", "--netns", "self", "-o", file]
    with log.open("wb") as errors, running(arguments, stderr=errors) as process:
        wait_until(lambda: "recording" in log.read_text(), "the start of the recording")
        yield file
        process.send_signal(signal.SIGTERM)
        expect(process.wait(PATIENCE), 0, "the recorder's exit code")


def learned(lab, server_arguments, client_arguments):
    """What the server's end and the client's end have taught: the two lines of `peers`."""
    with server(server_arguments, PORT, lab.folder / "server.log"), \
            steered(client_arguments, lab.folder / "client.log") as client, recorded(lab.folder) as file, lab.watching():
        client.ask("GET")  # the first takes long
        for number in range(1, MOST + 1):
            if "peer" in lab.wait_for("idle_close", number)[-1]:
                break
            expect(client.ask("GET").get("status"), 200, "a request on a new connection")
    expect_kinds(lab.verdicts(), number * ["idle_close"])
    output = subprocess.run([STALESOCK, "peers", "--json", "--recording", file], check=True, capture_output=True,
                            text=True).stdout
    lines = [json.loads(line) for line in output.splitlines()]
    expect([line["role"] for line in lines], ["remote", "listener"], "the lines")
    expect((lines[1]["idle_closes"], lines[1]["client_idle_closes"]), (number, 0), "who closed")
    return lines


def check(lines, command, setting):
    """The pool's limit follows from the timeout; the server's setting is named by its program."""
    remote, listener = lines
    for line in lines:
        expect(line["endpoint"], SIDE, "endpoint")
        expect_near(line["idle_timeout"]["ms"], TIMEOUT_MS, "idle_timeout", late=1000 + TIMER_MS)
    expect(remote["advice"].startswith(f"keep pooled connections for less than {advised_limit(remote['idle_timeout']['ms'])} ("),
           True, f"the limit in {remote['advice']!r}")
    expect(listener["command"], command, "the server's command")
    expect(listener["advice"], "this listener ends idle connections, never a client, so a request can meet its FIN: raise "
           f"{setting} above the time clients keep idle connections", "the listener's advice")


def tomcat(lab):
    check(learned(lab, java("TomcatServer", PORT, TIMEOUT_MS, lab.folder / "tomcat"), java(*JAVA_CLIENT)), "java", JAVA_SERVER)


def jetty(lab):
    check(learned(lab, java("JettyServer", PORT, TIMEOUT_MS), java(*JAVA_CLIENT)), "java", JAVA_SERVER)


def net_http(lab):
    check(learned(lab, go("server", "-idle", f"{TIMEOUT_MS}ms"), go("client", "-url", URL)), "go-server",
          "its keep-alive timeout (in Go, for example, Server.IdleTimeout)")
