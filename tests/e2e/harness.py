# SPDX-License-Identifier: Apache-2.0
"""Starts and stops servers and clients by their process id; waits with a deadline."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time

PATIENCE = 10.0  # seconds; only a failing case waits so long
STALESOCK = os.environ["STALESOCK"]


class Failure(AssertionError):
    """What a case expected did not happen."""


class Skip(Exception):
    """Why this machine cannot run a case."""


def wait_until(condition, what, patience=PATIENCE):
    """The first true value of condition()."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise Failure(f"{what} did not happen in {patience:.0f} s")
        time.sleep(0.01)
    return value


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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def has_open_connections(port):
    """To this port, the client's ends."""
    return bool(subprocess.run(["ss", "-Htn", "state", "established", f"dport = :{port}"], check=True,
                               capture_output=True).stdout.strip())


def is_listening(port):
    """Without a connection, which would be seen."""
    sockets = subprocess.run(["ss", "-Htln", f"sport = :{port}"], check=True, capture_output=True).stdout
    return bool(sockets.strip())


def owners_of_closing(port):
    """Processes that have sent the FIN of a connection of this port and not yet closed it."""
    sockets = subprocess.run(["ss", "-Htnp", "state", "fin-wait-1", "state", "fin-wait-2", f"sport = :{port}"], check=True,
                             capture_output=True, text=True).stdout
    return sockets.count("users:")


@contextlib.contextmanager
def server(arguments, port, log, **options):
    """A server that listens on PORT of this namespace; what it prints goes to the file LOG."""
    with open(log, "ab") as output:
        with running(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options) as process:
            def is_up():
                if process.poll() is not None:
                    raise Failure(f"{arguments[0]} ended with {process.returncode}: {open(log).read()}")
                return is_listening(port)
            wait_until(is_up, f"the start of {arguments[0]}", 3 * PATIENCE)
            yield process


def run_client(arguments, **options):
    """Runs it to its end, without input; its pid, standard output and standard error."""
    with running(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                 **options) as process:
        output, errors = process.communicate(timeout=3 * PATIENCE)
    if process.returncode != 0:
        raise Failure(f"{arguments[0]}: exit code {process.returncode}: {output}{errors}")
    return process.pid, output, errors


@contextlib.contextmanager
def scratch_folder():
    with tempfile.TemporaryDirectory(prefix="stalesock-e2e-") as folder:
        yield folder
