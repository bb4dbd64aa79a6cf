# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the program under test, servers and clients; reads verdicts."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 10.0  # seconds; only a failing test waits so long
STALESOCK = os.environ["STALESOCK"]


class Failure(Exception):
    """What a case expected did not happen."""


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() >= deadline:
            raise Failure(f"{what} did not happen in {PATIENCE:.0f} s")
        time.sleep(0.01)


def bring_loopback_up():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@contextlib.contextmanager
def running(arguments, **options):
    """A child process that ends with the block."""
    process = subprocess.Popen(arguments, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Watch:
    """`stalesock watch --json`. Nobody else is in this network namespace: its stream is the case's."""

    def __init__(self, folder):
        self.output = Path(folder) / "verdicts.jsonl"
        self.errors = Path(folder) / "watch.log"

    @contextlib.contextmanager
    def __call__(self):
        arguments = [STALESOCK, "watch", "--json", "--netns", "self"]
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            with running(arguments, stdout=output, stderr=errors) as process:
                wait_until(lambda: self._is_watching(process), "the start of stalesock")
                yield
                process.send_signal(signal.SIGTERM)
                if process.wait(PATIENCE) != 0:
                    raise Failure(f"stalesock: exit code {process.returncode}")

    def _is_watching(self, process):
        if process.poll() is not None:
            raise Failure(f"stalesock ended at once: {self.errors.read_text()}")
        return "stalesock: watching" in self.errors.read_text()

    def verdicts(self):
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def show(self):
        for path in (self.output, self.errors):
            if path.exists():
                sys.stderr.write(f"--- {path.name}\n{path.read_text(errors='replace')}")


NGINX_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {settings}
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def accepts(port):
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


@contextlib.contextmanager
def nginx(folder, settings):
    """Yields the port it listens on."""
    port = free_port()
    config = Path(folder) / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, settings=settings, port=port))
    with running(["nginx", "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL):
        wait_until(lambda: accepts(port), "the start of nginx")
        yield port


def run_client(arguments):
    """Runs it to its end; its pid, standard output and standard error."""
    with running(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        output, errors = process.communicate(timeout=3 * PATIENCE)
    if process.returncode != 0:
        raise Failure(f"{arguments[0]}: exit code {process.returncode}: {errors}")
    return process.pid, output, errors


@contextlib.contextmanager
def scratch_folder():
    with tempfile.TemporaryDirectory(prefix="stalesock-e2e-") as folder:
        yield folder
