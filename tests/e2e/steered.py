# SPDX-License-Identifier: Apache-2.0
"""A client that does what it is told, line by line."""

import contextlib
import json
import select
import subprocess

from harness import PATIENCE, Failure, running


class Steered:
    def __init__(self, process):
        self._process = process
        self.pid = process.pid

    def tell(self, line):
        self._process.stdin.write(line.encode() + b"\n")

    def answer(self):
        """The next JSON object it prints."""
        if not select.select([self._process.stdout], [], [], 3 * PATIENCE)[0]:
            raise Failure("the client does not answer")
        line = self._process.stdout.readline()
        if not line:
            raise Failure("the client has ended")
        return json.loads(line)

    def ask(self, line):
        self.tell(line)
        return self.answer()

    def end(self):
        """Its input ends, so it ends."""
        self._process.stdin.close()
        code = self._process.wait(PATIENCE)
        if code != 0:
            raise Failure(f"the client: exit code {code}")


@contextlib.contextmanager
def steered(arguments, log):
    """A client that ends with the block; what it logs goes to the file LOG."""
    with open(log, "ab") as errors:
        with running(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0) as process:
            client = Steered(process)
            yield client
            client.end()
