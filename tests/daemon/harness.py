# SPDX-License-Identifier: Apache-2.0
"""A private journald, the daemon with a service manager's notify socket, and connections with both ends in hand."""

import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 60.0  # seconds; only a failing test waits so long
STALESOCK = os.environ["STALESOCK"]
PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
JOURNALD = "/lib/systemd/systemd-journald"
JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
REQUEST = b"GET / HTTP/1.1\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\n\r\n"


class Failure(Exception):
    """What a case expected did not happen."""


class StoodStill(Exception):
    """The machine did, while time mattered: what came of it says nothing about the program."""


def expect(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Failure(f"{what} did not happen in {PATIENCE:.0f} s")
        time.sleep(0.02)


class Journal:
    """systemd-journald over folders of our own, instead of the host's."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.process = None
        for path in ("/run/systemd", "/run/log", "/var/log/journal", "/var/lib/systemd/catalog", "/run/stalesock"):
            own = self.folder / path.strip("/").replace("/", "-")
            own.mkdir()
            Path(path).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", own, path], check=True)
        machine_id = self.folder / "machine-id"
        machine_id.write_text("5ca1ab1e" * 4 + "\n")
        subprocess.run(["mount", "--bind", machine_id, "/etc/machine-id"], check=True)
        # Not the host's kernel log, and no limit that our own bursts could reach.
        config = Path("/run/systemd/journald.conf.d")
        config.mkdir()
        (config / "test.conf").write_text(
            "[Journal]\nReadKMsg=no\nStorage=volatile\nRateLimitBurst=0\nForwardToWall=no\n"
        )

    def start(self):
        JOURNAL_SOCKET.parent.mkdir(exist_ok=True)
        JOURNAL_SOCKET.unlink(missing_ok=True)
        self.process = subprocess.Popen([JOURNALD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(JOURNAL_SOCKET.exists, "the start of journald")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None

    def records(self, *matches):
        output = subprocess.run(
            ["journalctl", "-D", "/run/log/journal", "-o", "json", "--all", "SYSLOG_IDENTIFIER=stalesock", *matches],
            capture_output=True,
            check=False,
        ).stdout
        return [json.loads(line) for line in output.splitlines()]

    def wait_for(self, *matches, count=1):
        """All records that match, once there are so many."""

        def enough():
            found = self.records(*matches)
            return found if len(found) >= count else None

        return wait_until(enough, f"{count} of {matches} in the journal")


class Manager:
    """What a service manager is to its service: it is told how things stand."""

    def __init__(self, folder):
        self.path = str(Path(folder) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []

    def poll(self):
        while select.select([self.socket], [], [], 0)[0]:
            self.messages.append(self.socket.recv(65536).decode())
        return self.messages

    def wait_for(self, text, count=1):
        """Returns once so many messages have a line with this beginning."""
        pattern = re.compile("^" + re.escape(text), re.MULTILINE)
        wait_until(lambda: sum(1 for m in self.poll() if pattern.search(m)) >= count, f"{text!r} {count} times")

    def status(self):
        found = [m[len("STATUS=") :] for m in self.poll() if m.startswith("STATUS=")]
        return found[-1] if found else ""


class Daemon:
    """`stalesock daemon` as the unit would start it."""

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.config = self.folder / "stalesock.toml"
        self.log = self.folder / "daemon.log"
        self.runtime = Path("/run/stalesock")
        self.manager = Manager(folder)
        self.process = None
        self.starts = 0
        self.configure(config)
        dropins = self.folder / "stalesock.toml.d"
        dropins.mkdir()
        # nobody else's connections, and every verdict
        (dropins / "00-test.toml").write_text('[probe]\nnetwork_namespace = "self"\n[verdicts]\ncollapse = 0\n')

    def configure(self, text):
        self.config.write_text(text)

    def launch(self, watchdog_usec=0):
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": self.manager.path,
            "RUNTIME_DIRECTORY": str(self.runtime),
        }
        if watchdog_usec:
            environment["WATCHDOG_USEC"] = str(watchdog_usec)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [STALESOCK, "daemon", "--config", str(self.config)], stderr=log, env=environment
            )

    def start(self, **options):
        self.launch(**options)
        self.starts += 1

        def is_ready():
            if self.process.poll() is not None:
                raise Failure(f"the daemon ended at once: {self.errors()}")
            return sum(1 for m in self.manager.poll() if m.startswith("READY=1")) >= self.starts

        wait_until(is_ready, "the start of the daemon")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.starts += 1  # a reload ends with READY=1 too
        self.manager.wait_for("READY=1", self.starts)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def errors(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


class Connection:
    """Both ends of a TCP connection that was used once; its server had this port, by default any."""

    def __init__(self, port=0):
        with socket.create_server(("127.0.0.1", port)) as listener:
            self.active = socket.create_connection(listener.getsockname())
            self.passive, _ = listener.accept()
        self.local = "%s:%d" % self.active.getsockname()
        self.remote = "%s:%d" % self.active.getpeername()
        self.active.settimeout(PATIENCE)
        self.passive.settimeout(PATIENCE)
        self.active.sendall(REQUEST)
        self.passive.recv(4096)
        self.passive.sendall(RESPONSE)
        self.active.recv(4096)
        self.used = time.monotonic()

    def match(self):
        """The active end, as a match of journalctl."""
        return f"STALESOCK_CONNECTION_LOCAL={self.local}"

    def stay_idle(self):
        """As the rules understand it: longer than idle_threshold."""
        time.sleep(max(0.0, self.used + 0.15 - time.monotonic()))

    def close_passive(self):
        self.stay_idle()
        self.passive.close()
        self._wait_for_state(8)  # TCP_CLOSE_WAIT

    def half_close_passive(self):
        """The peer's FIN; it still reads, and so answers a late write by no RST."""
        self.stay_idle()
        self.passive.shutdown(socket.SHUT_WR)
        self._wait_for_state(8)

    def take_nothing_more(self):
        """From here on the peer's kernel drops what comes for it: a socket filter returns 0 (socket(7), SO_ATTACH_FILTER)."""
        so_attach_filter, bpf_return = 26, 0x06  # asm-generic/socket.h, linux/bpf_common.h
        code = ctypes.create_string_buffer(struct.pack("HBBI", bpf_return, 0, 0, 0))
        self.passive.setsockopt(socket.SOL_SOCKET, so_attach_filter, struct.pack("HL", 1, ctypes.addressof(code)))

    def _wait_for_state(self, state):
        wait_until(
            lambda: self.active.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == state, f"TCP state {state}"
        )

    def write_late(self):
        self.active.sendall(REQUEST)

    def close(self):
        self.active.close()
        self.passive.close()


def stale_reuses(count):
    """So many connections with one late write each."""
    connections = [Connection() for _ in range(count)]
    for connection in connections:
        connection.close_passive()
        connection.write_late()
    return connections


def stale_reuse():
    return stale_reuses(1)[0]


def install_catalog():
    folder = Path("/usr/lib/systemd/catalog")
    own = Path(tempfile.mkdtemp(prefix="stalesock-catalog-"))
    shutil.copy(PACKAGING / "journal" / "stalesock.catalog", own)
    subprocess.run(["mount", "--bind", own, folder], check=True)
    subprocess.run(["journalctl", "--update-catalog"], check=True, stderr=subprocess.DEVNULL)
    return own


@contextlib.contextmanager
def fixture(config):
    """A daemon that is not started yet, and a journald that is."""
    with tempfile.TemporaryDirectory(prefix="stalesock-daemon-") as folder:
        journal = Journal(folder)
        journal.start()
        daemon = Daemon(folder, config)
        try:
            yield journal, daemon
        except Exception:
            sys.stderr.write(f"--- daemon.log\n{daemon.errors()}")
            raise
        finally:
            daemon.end()
            journal.stop()
            for path in ("/etc/machine-id", "/run/systemd", "/run/log", "/var/log/journal", "/var/lib/systemd/catalog",
                         "/run/stalesock"):
                subprocess.run(["umount", "--lazy", path], check=True)
