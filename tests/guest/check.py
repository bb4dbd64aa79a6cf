#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""In the guest: the package from its installation to its purge, and what it says of a real nginx."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

PATIENCE = 300.0  # seconds, of an emulated machine beside others
UNIT = "stalesock.service"
CONFIG = Path("/etc/stalesock/stalesock.toml")
DROPIN = Path("/etc/stalesock/stalesock.toml.d/test.toml")
REQUEST = b"GET / HTTP/1.1\r\nHost: guest\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"

NGINX = """
events { worker_connections 64; }
http {
    access_log off;
    upstream backend { server 127.0.0.1:9000; keepalive 4; keepalive_timeout 600s; }
    server {
        listen 127.0.0.1:8080;
        keepalive_timeout 600s;
        location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
}
worker_processes 1;
"""


class Failure(Exception):
    """What a step expected did not happen."""


def say(text):
    """To the log, and to the console for who waits."""
    print(text, flush=True)
    with contextlib.suppress(OSError), open("/dev/ttyS0", "w", encoding="utf-8") as console:
        console.write(text + "\r\n")


def expect(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit code {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Failure(f"{what} did not happen in {PATIENCE:.0f} s")
        time.sleep(0.1)


def show(prop, unit=UNIT):
    return run("systemctl", "show", "-P", prop, unit).strip()


def is_active(unit=UNIT):
    return run("systemctl", "is-active", unit, check=False).strip() == "active"


def records(*matches):
    return [json.loads(line) for line in run("journalctl", "-o", "json", "--all", *matches, check=False).splitlines()]


def wait_for_record(*matches, count=1):
    def enough():
        found = records(*matches)
        return found if len(found) >= count else None

    return wait_until(enough, f"{count} of {matches} in the journal")


class Backend:
    """An HTTP server that closes its connections when it is told to."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 9000))
        self.connections = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection):
        with contextlib.suppress(OSError):
            while connection.recv(4096):
                connection.sendall(RESPONSE)

    def close_all(self):
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self.connections.clear()


def start_nginx():
    Path("/etc/nginx/nginx.conf").write_text(NGINX)
    run("systemctl", "restart", "nginx")
    wait_until(lambda: is_active("nginx"), "the start of nginx")
    master = show("MainPID", "nginx")
    children = f"/proc/{master}/task/{master}/children"
    return int(wait_until(lambda: Path(children).read_text().split(), "nginx's worker")[0])


def ask(client):
    client.sendall(REQUEST)
    answer = b""
    while not answer.endswith(b"hello\n"):
        part = client.recv(4096)
        if not part:
            raise Failure(f"nginx closed: {answer!r}")
        answer += part


def nginx_reuses_a_closed_connection(backend, worker):
    """While nginx is held up, a request comes in and then its upstream closes: it handles the request first."""
    with socket.create_connection(("127.0.0.1", 8080), timeout=PATIENCE) as client:
        ask(client)
        time.sleep(0.3)  # idle
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{worker}/stat").read_text().split()[2] == "T", "the stop")
        client.sendall(REQUEST)
        time.sleep(0.2)  # the order in which epoll reports
        backend.close_all()
        wait_until(close_wait_of_worker, "nginx's CLOSE_WAIT")
        os.kill(worker, signal.SIGCONT)
        client.recv(4096)  # by a retry, or a 502


def close_wait_of_worker():
    return [line for line in run("ss", "-Htn", "state", "close-wait", "dport", "=", ":9000").splitlines() if line]


class Reuse:
    """A connection of our own whose peer has closed it, and which is used later."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.active = socket.create_connection(listener.getsockname())
            passive, _ = listener.accept()
        self.local = "%s:%d" % self.active.getsockname()
        self.active.sendall(REQUEST)
        passive.recv(4096)
        passive.sendall(RESPONSE)
        self.active.recv(4096)
        time.sleep(0.3)
        passive.close()
        wait_until(lambda: self.active.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 8, "CLOSE_WAIT")

    def write(self):
        self.active.sendall(REQUEST)

    def match(self):
        return ("STALESOCK_VERDICT=stale_reuse", f"STALESOCK_CONNECTION_LOCAL={self.local}")


def the_system_runs():
    state = run("systemctl", "is-system-running", "--wait", check=False).strip()
    if state not in ("running", "degraded"):
        raise Failure(state)
    say("  " + run("uname", "-r").strip())


def installation():
    run("dpkg", "-i", "/job/old.deb")
    wait_until(is_active, "the start of the daemon")
    expect(run("systemctl", "is-enabled", UNIT).strip(), "enabled", "is-enabled")
    start = wait_for_record("STALESOCK_RECORD=start")[0]
    say("  " + start["MESSAGE"])
    say("  " + show("StatusText"))
    if " hooks, " not in show("StatusText"):
        raise Failure(show("StatusText"))


def capabilities_and_score():
    status = Path(f"/proc/{show('MainPID')}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    bpf_and_perfmon = f"{1 << 39 | 1 << 38:016x}"
    expect(fields["CapEff"], bpf_and_perfmon, "effective capabilities")
    expect(fields["Uid"].split()[0], "0", "uid")
    run("systemd-analyze", "security", "--threshold=16", UNIT)
    say(f"  {run('systemd-analyze', 'security', UNIT).splitlines()[-1][2:]}; "
        f"{int(show('MemoryCurrent')) >> 10} KiB of memory")


def a_real_nginx():
    backend = Backend()
    worker = start_nginx()
    nginx_reuses_a_closed_connection(backend, worker)
    found = wait_for_record("-u", "nginx", "STALESOCK_VERDICT=stale_reuse")
    record = found[0]
    say("  " + record["MESSAGE"])
    expect(len(found), 1, "records")
    expect(record["STALESOCK_OWNER_COMMAND"], "nginx", "command")
    expect(record["STALESOCK_OWNER_PID"], str(worker), "pid")
    expect(record["STALESOCK_OWNER_UNIT"], "nginx.service", "unit")
    expect(record["OBJECT_SYSTEMD_UNIT"], "nginx.service", "OBJECT_SYSTEMD_UNIT")
    expect(record["STALESOCK_CONNECTION_REMOTE"], "127.0.0.1:9000", "remote")
    expect((record["PRIORITY"], record["_UID"]), ("3", "0"), "priority and uid")
    explained = run("journalctl", "-u", "nginx", "-x", "STALESOCK_VERDICT=stale_reuse")
    if "A connection was used after its peer had closed it" not in explained:
        raise Failure(explained)


def the_daemon_is_killed():
    held = Reuse()
    known = Reuse()
    known.write()
    wait_for_record(*known.match())
    pid = show("MainPID")
    run("systemctl", "kill", "-s", "KILL", UNIT)
    wait_until(lambda: show("MainPID") not in ("0", pid) and is_active(), "the restart")
    resumed = wait_for_record("STALESOCK_RECORD=resume")[-1]
    say("  " + resumed["MESSAGE"])
    expect(resumed["STALESOCK_STOPPED_CLEANLY"], "false", "stopped_cleanly")
    held.write()
    record = wait_for_record(*held.match())
    expect(len(record), 1, "records of the late write")
    expect(len(records(*known.match())), 1, "records of the one that was told before")


class Container:
    """A process in a network namespace of its own that holds a connection, and uses it when it is told to."""

    def __init__(self):
        ready, told = os.pipe()
        begin, self.begin = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                ctypes.CDLL(None).unshare(0x40000000)  # CLONE_NEWNET
                run("ip", "link", "set", "lo", "up")
                reuse = Reuse()
                os.write(told, reuse.local.encode())
                os.read(begin, 1)
                reuse.write()
                signal.pause()
            os._exit(1)
        os.close(told)
        self.local = os.read(ready, 64).decode()
        os.close(ready)

    def write(self):
        os.write(self.begin, b"+")

    def match(self):
        return ("STALESOCK_VERDICT=stale_reuse", f"STALESOCK_CONNECTION_LOCAL={self.local}", f"OBJECT_PID={self.pid}")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def a_restart_beside_a_container():
    """Two capabilities do not let the daemon into another network namespace."""
    container = Container()
    pid = show("MainPID")
    run("systemctl", "restart", UNIT)
    wait_until(lambda: show("MainPID") not in ("0", pid) and is_active(), "the restart")
    container.write()
    record = wait_for_record(*container.match())
    say("  " + record[0]["MESSAGE"])
    expect(len(record), 1, "records of the late write")
    container.end()


def journald_is_killed():
    run("systemctl", "kill", "-s", "KILL", "systemd-journald")
    reuse = Reuse()
    reuse.write()
    wait_for_record(*reuse.match())


def a_reload():
    CONFIG.write_text(CONFIG.read_text().replace("#enabled = true", "enabled = true"))
    DROPIN.write_text("[journal]\nmin_severity = 'loud'\n")
    run("systemctl", "reload", UNIT)
    record = wait_for_record("STALESOCK_RECORD=reload", "STALESOCK_IN_USE=old")[-1]
    say("  " + record["MESSAGE"])
    expect(is_active(), True, "active")
    file = Path("/var/log/stalesock/verdicts.jsonl")
    DROPIN.write_text(f"[journal]\nmin_severity = 'info'\n[file]\npath = '{file}'\n")
    run("systemctl", "reload", UNIT)
    wait_for_record("STALESOCK_RECORD=reload", "STALESOCK_IN_USE=new")
    Reuse().write()
    wait_until(lambda: file.exists() and "stale_reuse" in file.read_text(), "the line in the file")


def metrics_through_the_drop_in():
    """Without it the unit has no network, and says so."""
    settings = DROPIN.read_text()
    DROPIN.write_text(settings + "[metrics]\nlisten = '127.0.0.1:9435'\n")
    run("systemctl", "reload", UNIT)
    wait_until(lambda: "the unit allows no network" in show("StatusText"), "the problem in the status")
    run("install", "-D", "-m", "644", "-t", "/etc/systemd/system/stalesock.service.d",
        "/usr/share/stalesock/metrics.conf")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT)
    wait_until(is_active, "the restart")
    expect("metrics" in show("StatusText"), False, f"a problem in {show('StatusText')!r}")
    Reuse().write()

    def counted():
        with urllib.request.urlopen("http://127.0.0.1:9435/metrics", timeout=PATIENCE) as answer:
            return [line for line in answer.read().decode().splitlines()
                    if line.startswith("stalesock_verdicts_total{") and 'verdict="stale_reuse"' in line
                    and 'unit="' in line and line.endswith(" 1")]

    say("  " + wait_until(counted, "the count of a stale reuse")[0])


def an_upgrade():
    config = CONFIG.read_text()
    pid = show("MainPID")
    held = Reuse()
    run("dpkg", "--force-confold", "-i", "/job/new.deb")
    wait_until(lambda: is_active() and show("MainPID") not in ("0", pid), "the restart")
    expect(CONFIG.read_text(), config, "the administrator's configuration")
    resumed = wait_for_record("STALESOCK_RECORD=resume", "STALESOCK_STOPPED_CLEANLY=true")[-1]
    say("  " + resumed["MESSAGE"])
    held.write()
    expect(len(wait_for_record(*held.match())), 1, "records of the late write")


def removal_and_purge():
    run("dpkg", "--remove", "stalesock")
    expect(is_active(), False, "active")
    expect(CONFIG.exists(), True, "the configuration stays")
    run("dpkg", "-i", "/job/new.deb")
    wait_until(is_active, "the start after a removal")
    DROPIN.unlink()  # the administrator's own
    run("dpkg", "--purge", "stalesock")
    for path in ("/etc/stalesock", "/run/stalesock", "/var/lib/stalesock", "/var/log/stalesock",
                 "/usr/sbin/stalesock", "/etc/systemd/system/multi-user.target.wants/stalesock.service"):
        expect(os.path.lexists(path), False, path)
    expect(is_active(), False, "active")
    # Only of this one: a list of all can take an emulated machine longer than D-Bus waits for an answer (25 s).
    expect(run("systemctl", "show", "--value", "--property=LoadState", UNIT).strip(), "not-found", "the unit")


def main():
    for step in (the_system_runs, installation, capabilities_and_score, a_real_nginx, the_daemon_is_killed,
                 a_restart_beside_a_container, journald_is_killed, a_reload, metrics_through_the_drop_in, an_upgrade, removal_and_purge):
        started = time.monotonic()
        try:
            step()
        except Exception as failure:  # pylint: disable=broad-except
            print(run("journalctl", "-u", UNIT, "-n", "40", "--no-pager", check=False))
            say(f"{step.__name__:<28} FAILED: {type(failure).__name__}: {failure}")
            return 1
        say(f"{step.__name__:<28} {time.monotonic() - started:6.1f} s  ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
