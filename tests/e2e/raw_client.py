# SPDX-License-Identifier: Apache-2.0
"""A client of HTTP/1.1 that does exactly what it is told, in the process of the case."""

import contextlib
import http.client
import os
import socket

from harness import PATIENCE, wait_until

SELF = {"pid": os.getpid(), "command": "python3", "unit": None}  # the owner of what it opens
ESTABLISHED, CLOSE, CLOSE_WAIT = 1, 7, 8  # include/net/tcp_states.h


class RawClient:
    """One connection. Nothing is looked at before a request is sent, and no header is obeyed."""

    def __init__(self, port, wrap=lambda plain: plain):
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, local_port = plain.getsockname()
        self.local = f"{host}:{local_port}"
        self.remote = f"127.0.0.1:{port}"
        self._plain = plain.dup()
        self.socket = wrap(plain)

    def send(self, text):
        """How many bytes were handed to the kernel."""
        self.socket.sendall(text.encode())
        return len(text)

    def ask(self, path="/", method="GET"):
        return self.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def answer(self):
        """The next response, with its body read. Whatever http.client raises."""
        response = http.client.HTTPResponse(self.socket, method="GET")
        response.begin()
        response.body = response.read()
        return response

    def get(self, path="/"):
        self.ask(path)
        return self.answer()

    def reuse(self, path="/"):
        """A request that will get no answer: its bytes, and what an application would log."""
        sent = self.ask(path)
        try:
            response = self.answer()
        except (http.client.HTTPException, OSError) as error:
            return sent, f"{type(error).__name__}: {error}"
        raise AssertionError(f"there was an answer: {response.status}")

    def rest(self):
        """Everything until the end of file, or until an RST takes it."""
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while some := self.socket.recv(65536):
                received += some
        return received

    def wait_for_fin(self):
        """Looks at the socket's state, not into it: neither a read nor a peek."""
        wait_until(lambda: self.state() == CLOSE_WAIT, "the server's FIN")

    def wait_for_the_end(self):
        """The server's FIN or its RST."""
        wait_until(lambda: self.state() in (CLOSE, CLOSE_WAIT), "the server's FIN or RST")

    def state(self):
        return self._plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]

    def close(self):
        self.socket.close()
        self._plain.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
