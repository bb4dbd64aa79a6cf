# SPDX-License-Identifier: Apache-2.0
"""The truth: every packet on an interface, as tcpdump saw it."""

import contextlib
import dataclasses
import re
import signal
import socket
import subprocess

from harness import PATIENCE, Failure, running, wait_until

LINE = re.compile(r"(?P<time>[0-9.]+) IP6? (?P<source>\S+) > (?P<destination>\S+): Flags \[(?P<flags>[^]]+)\],"
                  r"(?: cksum [^,]+,)?(?: seq (?P<seq>[0-9]+)(?::[0-9]+)?,)?(?: ack (?P<ack>[0-9]+),)?"
                  r".* length (?P<length>[0-9]+)")


def endpoint(text):
    """address.port as tcpdump prints it, in our words."""
    address, _, port = text.rpartition(".")
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclasses.dataclass(frozen=True)
class Packet:
    time: float  # seconds since the epoch
    source: str  # address:port
    destination: str
    flags: str  # of tcpdump: S, F, R, P, and a dot for ACK
    payload: int  # bytes
    seq: int | None = None  # of its first byte, or of its FIN; absent where tcpdump says none
    ack: int | None = None

    def __str__(self):
        return f"{self.source} > {self.destination} [{self.flags}] {self.payload} B"

LAST_PORT = 1  # tcpmux: nobody listens there

PARTING = 0.1  # seconds before the FIN in which what the server says belongs to its close
# Seconds that an answer takes at most to count as silence for sure, and at least not to count for sure.
QUICK = 0.03, 0.07
QUICK_UNSEEN = 0.03, 0.5


class Connection:
    """The packets of one connection. The client sent the SYN."""

    def __init__(self, packets):
        self.packets = packets
        self.client, self.server = packets[0].source, packets[0].destination

    def times(self, source, flag=None, payload=False):
        """When SOURCE sent packets with a flag, or with payload, in seconds."""
        return [p.time for p in self.packets if p.source == source and (flag is None or flag in p.flags) and
                (not payload or p.payload > 0)]

    def first_fin(self):
        """(time, source), or None."""
        return next(((p.time, p.source) for p in self.packets if "F" in p.flags), None)

    def client_closed_first(self):
        """Its FIN, by the ACK number, left before the server's was there: the two may cross."""
        own, theirs = self.fin_of(self.client), self.fin_of(self.server)
        return own is not None and (theirs is None or own.ack == theirs.seq)

    def idle_range_ms(self):
        """At the server's FIN: the least and the most that may be said of how long nobody had spoken.

        What comes with the FIN (a close_notify and the like) is not counted. An answer that took less than 50 ms counts as
        silence. Where the server said something with its FIN, only our own ACK tells of an answer that took long.
        """
        fin = self.times(self.server, "F")[0]
        request = max(t for t in self.times(self.client, payload=True) if t < fin)
        said = [t for t in self.times(self.server, payload=True) if request < t < fin]
        answers = [t for t in said if t < fin - PARTING]
        took = max(answers) - request if answers else 0.0
        surely_quick, surely_slow = QUICK_UNSEEN if len(answers) < len(said) else QUICK
        idle = fin - request
        return [(idle - (took if slow else 0.0)) * 1000 for slow in (took > surely_quick, took > surely_slow)]

    def since_payload_ms(self, source, moment):
        """Since the last payload of SOURCE before that moment."""
        return (moment - max(t for t in self.times(source, payload=True) if t < moment)) * 1000

    def late_payload(self):
        """Packets with payload that the client sent after the server's FIN."""
        fin = self.times(self.server, "F")[0]
        return [p for p in self.packets if p.source == self.client and p.payload > 0 and p.time > fin]

    def quiet_ms(self):
        """At the server's FIN: since the last payload from anywhere, as a server's timer counts."""
        fin = self.times(self.server, "F")[0]
        return (fin - max(p.time for p in self.packets if p.payload > 0 and p.time < fin)) * 1000

    def has_late_payload(self):
        """By its ACK, which counts the FIN: the order of a capture is not that of the two CPUs."""
        fin = self.fin_of(self.server)
        return any(p.ack == (fin.seq + 1) % 2**32 for p in self.payloads(self.client)) if fin else False

    def fin_to_write_ms(self):
        return (self.late_payload()[0].time - self.times(self.server, "F")[0]) * 1000

    def fin_of(self, source):
        """Its first packet with a FIN, or None."""
        return next((p for p in self.packets if p.source == source and "F" in p.flags), None)

    def payloads(self, source):
        return [p for p in self.packets if p.source == source and p.payload > 0]

    def has_reset(self, source=None):
        return any("R" in p.flags and source in (None, p.source) for p in self.packets)


class Capture:
    def __init__(self, path):
        self.path = path
        self.interface = "lo"
        self._packets = None

    @contextlib.contextmanager
    def running(self):
        """Captures until the block has ended."""
        log = self.path.with_suffix(".log")
        arguments = ["tcpdump", "-i", self.interface, "-s", "128", "-U", "--immediate-mode", "-Z", "root", "-w", str(self.path), "tcp"]
        with log.open("wb") as errors, running(arguments, stderr=errors) as process:
            wait_until(lambda: "listening on" in log.read_text(), "the start of tcpdump")
            yield
            if self.interface == "lo":
                self._see_everything()
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)

    def _see_everything(self):
        """tcpdump leaves at its signal what it has not read yet: something to wait for comes after everything else."""
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", LAST_PORT), timeout=PATIENCE).close()
        # What is being written cannot always be read.
        wait_until(lambda: "Flags [S]" in self._read(f"tcp port {LAST_PORT}", check=False), "the last packet")

    def _read(self, expression, check=True):
        return subprocess.run(["tcpdump", "-r", str(self.path), "-tt", "-nn", "-S", expression], capture_output=True, text=True,
                              check=check).stdout

    def packets(self):
        if self._packets is None:
            read = self._read(f"not tcp port {LAST_PORT}")
            found = [LINE.match(line) for line in read.splitlines()]
            self._packets = [Packet(float(m["time"]), endpoint(m["source"]), endpoint(m["destination"]), m["flags"],
                                    int(m["length"]), m["seq"] and int(m["seq"]), m["ack"] and int(m["ack"]))
                             for m in found if m]
        return self._packets

    def packets_or_none(self):
        try:
            return self.packets()
        except (subprocess.CalledProcessError, OSError):
            return []

    def connections(self, port=None):
        """In the order of their SYNs; with PORT only those to this port of the server."""
        groups, current = [], {}
        for packet in self.packets():
            key = frozenset((packet.source, packet.destination))
            if packet.flags == "S" and packet.payload == 0 and \
                    not (key in current and current[key][-1].flags == "S"):
                current[key] = []
                groups.append(current[key])
            if key in current:
                current[key].append(packet)
        found = [Connection(packets) for packets in groups]
        return [c for c in found if port is None or c.server.endswith(f":{port}")]

    def connection_from(self, client):
        """The last one that this address:port opened."""
        found = [c for c in self.connections() if c.client == client]
        if not found:
            raise Failure(f"no connection from {client} was captured")
        return found[-1]

    def only_connection(self, port=None):
        found = self.connections(port)
        if len(found) != 1:
            raise Failure(f"{len(found)} connections were captured, not 1")
        return found[0]
