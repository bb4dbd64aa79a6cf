# SPDX-License-Identifier: Apache-2.0
"""An HTTP client that keeps its connection and uses it again after a pause.

    pooled_client.py PORT PAUSE [--check]

With --check it looks for the end of file before it reuses, as a careful pool does. Prints one JSON
object for each request: where from, how many bytes were sent, and what came of it.
"""

import http.client
import json
import select
import sys
import time


class CountingConnection(http.client.HTTPConnection):
    """Knows how many bytes its last request was."""

    sent = 0

    def send(self, data):
        if self.sock is None:
            self.connect()
        super().send(data)
        self.sent += len(data)


def is_stale(connection):
    """Readable between requests: the end of file, or something unasked."""
    return bool(select.select([connection.sock], [], [], 0)[0])


def request(connection):
    connection.sent = 0
    outcome = {}
    try:
        connection.request("GET", "/")
        host, port = connection.sock.getsockname()
        outcome["local"] = f"{host}:{port}"
        outcome["status"] = connection.getresponse().read() and 200
    except (http.client.HTTPException, OSError) as error:
        outcome["error"] = type(error).__name__
    outcome["bytes"] = connection.sent
    print(json.dumps(outcome), flush=True)


def main():
    port, pause = int(sys.argv[1]), float(sys.argv[2])
    connection = CountingConnection("127.0.0.1", port)
    request(connection)
    time.sleep(pause)
    if "--check" in sys.argv and is_stale(connection):
        connection.close()
    request(connection)


if __name__ == "__main__":
    main()
