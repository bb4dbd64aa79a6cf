# SPDX-License-Identifier: Apache-2.0
"""A server that answers one request on one connection and then does exactly what it is told, in a thread."""

import contextlib
import socket
import threading
import time

from harness import PATIENCE

ANSWER = b"HTTP/1.1 204 No Content\r\nA: 01234567\r\n\r\n"  # 40 bytes


@contextlib.contextmanager
def origin(answer, then):
    """Yields the port. After the answer it calls THEN with its socket, which is closed once the block has ended."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                then(connection)
                done.wait(PATIENCE)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        done.set()
        thread.join(PATIENCE)


def late_bytes(delay):
    """Says more than it was asked."""
    def then(connection):
        time.sleep(delay)
        connection.sendall(b"x")
    return then


def late_fin(delay):
    def then(connection):
        time.sleep(delay)
        connection.shutdown(socket.SHUT_WR)
    return then
