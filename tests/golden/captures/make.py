#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Captures classic cases from real connections on loopback, and what the program says of them. As root:

    unshare --net tests/golden/captures/make.py build/stalesock [CASE...]
"""

import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

FOLDER = Path(__file__).parent
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CLOSE_NOTIFY = bytes.fromhex("1703030013") + bytes(19)  # of TLS 1.3: a short record of data
IDLE = 0.5  # seconds
SNAPSHOT = 128  # bytes kept of each packet

PCAP_NANOSECONDS = 0xA1B23C4D
LINK_ETHERNET = 1
SO_TIMESTAMPNS = 35


class Capture(threading.Thread):
    """Packets of the loopback device, each once, into a pcap file."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind(("lo", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.settimeout(0.3)
        self.over = False

    def run(self):
        with self.path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", PCAP_NANOSECONDS, 2, 4, 0, 0, SNAPSHOT, LINK_ETHERNET))
            while True:
                try:
                    frame, ancillary, _, address = self.socket.recvmsg(1 << 17, 64)
                except socket.timeout:
                    if self.over:
                        return
                    continue
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                kept = frame[:SNAPSHOT]
                file.write(struct.pack("<IIII", seconds, nanoseconds, len(kept), len(frame)) + kept)

    def stop(self):
        self.over = True
        self.join()


def pair(address="127.0.0.1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        server, _ = listener.accept()
    return client, server


def turn(client, server):
    client.sendall(REQUEST)
    server.recv(4096)
    server.sendall(RESPONSE)
    client.recv(4096)


def used(address="127.0.0.1"):
    client, server = pair(address)
    turn(client, server)
    return client, server


def reset(end):
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def stale_reuse():
    """The server closes an idle connection; the pool sends the next request on it, and gets an RST."""
    client, server = used()
    time.sleep(IDLE)
    server.close()
    time.sleep(0.2)
    client.sendall(REQUEST)
    time.sleep(0.1)
    client.close()


def refused_request():
    """The server gives up with the request unread. Its RST acknowledges the request, so the wire does not tell whether it was read."""
    client, server = used()
    time.sleep(IDLE)
    client.sendall(REQUEST)
    reset(server)
    time.sleep(0.1)
    client.close()


def idle_close():
    """One server closes idle connections, four times: its timeout is learned."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        for _ in range(4):
            client = socket.create_connection(listener.getsockname()[:2])
            server, _ = listener.accept()
            turn(client, server)
            time.sleep(IDLE)
            server.close()
            time.sleep(0.05)
            client.close()


def limit_close():
    """The last answer that this connection was good for; nobody looked before the next request."""
    client, server = used()
    client.sendall(REQUEST)
    server.recv(4096)
    server.sendall(RESPONSE)
    server.close()
    client.recv(4096)
    time.sleep(0.3)
    client.sendall(REQUEST)
    time.sleep(0.1)
    client.close()


def unanswered_close():
    """The server reads the request and hangs up."""
    client, server = used()
    time.sleep(0.2)
    client.sendall(REQUEST)
    server.recv(4096)
    server.close()
    time.sleep(0.1)
    client.close()


def farewell():
    """The server closes an idle connection; the client says goodbye and closes: all is well."""
    client, server = used()
    time.sleep(IDLE)
    server.close()
    time.sleep(0.1)
    client.recv(4096)
    client.sendall(CLOSE_NOTIFY)
    client.close()


def abandoned_response():
    """The client gives up while the server works."""
    client, server = pair()
    client.sendall(REQUEST)
    server.recv(4096)
    time.sleep(0.2)
    client.close()
    time.sleep(0.3)
    server.sendall(RESPONSE)
    time.sleep(0.1)
    server.close()


CASES = [stale_reuse, refused_request, idle_close, limit_close, unanswered_close, farewell, abandoned_response]


def main(stalesock, *names):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for case in CASES:
        if names and case.__name__ not in names:
            continue
        path = FOLDER / f"{case.__name__}.pcap"
        capture = Capture(path)
        capture.start()
        case()
        time.sleep(0.1)
        capture.stop()
        command = [stalesock, "replay", "--json", path.name]
        replay = subprocess.run(command, cwd=FOLDER, stdout=subprocess.PIPE, check=True)
        path.with_suffix(".jsonl").write_bytes(replay.stdout)


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()), *sys.argv[2:])
