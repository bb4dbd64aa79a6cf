#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the recordings of classic cases from real connections on loopback. As root:

    unshare --net tests/golden/recordings/make.py build/stalesock [CASE...]
"""

import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CLOSE_NOTIFY = bytes.fromhex("1503030013") + bytes(19)  # a TLS 1.3 alert, encrypted
IDLE = 0.5  # seconds


def connection(address="127.0.0.1"):
    """Both ends of a connection on which one request was answered."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        server, _ = listener.accept()
    client.sendall(REQUEST)
    server.recv(4096)
    server.sendall(RESPONSE)
    client.recv(4096)
    return client, server


def stale_reuse():
    """The server closes an idle connection; the pool sends the next request on it, and gets an RST."""
    client, server = connection()
    time.sleep(IDLE)
    server.close()
    time.sleep(0.2)
    client.sendall(REQUEST)
    time.sleep(0.5)
    client.close()


def reuse_race():
    """The server gives up with the request unread: nobody could have known."""
    client, server = connection()
    time.sleep(IDLE)
    client.sendall(REQUEST)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    time.sleep(0.2)
    client.close()


def dirty_close():
    """The client closes with an answer unread."""
    client, server = connection("::1")
    client.sendall(REQUEST)
    server.recv(4096)
    server.sendall(RESPONSE)
    time.sleep(0.1)
    client.close()
    time.sleep(0.1)
    server.close()


def farewell():
    """The server closes an idle connection; the client says goodbye and closes: all is well."""
    client, server = connection()
    time.sleep(IDLE)
    server.shutdown(socket.SHUT_WR)
    time.sleep(0.1)
    client.recv(4096)
    client.sendall(CLOSE_NOTIFY)
    client.close()
    time.sleep(0.1)
    server.close()


CASES = [stale_reuse, reuse_race, dirty_close, farewell]
ANONYMIZED = [farewell]


def record(stalesock, case):
    path = FOLDER / f"{case.__name__}.stalesock"
    command = [stalesock, "record", "--force", "--netns", "self", "-o", path]
    command += ["--anonymize"] if case in ANONYMIZED else []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as recorder:
        for line in recorder.stderr:
            if line.startswith("stalesock: recording"):
                break
        else:
            sys.exit(f"{stalesock} does not record")
        case()
        time.sleep(0.2)
        recorder.send_signal(signal.SIGINT)
        sys.stderr.write(recorder.stderr.read())
    replay = subprocess.run(
        [stalesock, "replay", "--json", "--events", path], stdout=subprocess.PIPE, check=True
    )
    path.with_suffix(".jsonl").write_bytes(replay.stdout)
    path.chmod(0o644)


def main(stalesock, *names):
    Path("/proc/self/comm").write_text("client")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for case in CASES:
        if not names or case.__name__ in names:
            record(stalesock, case)


if __name__ == "__main__":
    main(*sys.argv[1:])
