# SPDX-License-Identifier: Apache-2.0
"""A path that takes its time: a TUN device whose packets come back to this host from another address.

netem is in no kernel that these tests can count on. A packet from HERE to THERE arrives as one from THERE to HERE,
so both ends of a connection are on this host, and a capture on the device sees each of them where it is."""

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import threading
import time

DEVICE, HERE, THERE = "tun0", "10.9.0.1", "10.9.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
TCP, FIN = 6, 0x01


def open_device():
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "address", "add", f"{HERE}/24", "dev", DEVICE], check=True)
    subprocess.run(["ip", "link", "set", DEVICE, "up"], check=True)
    return device


def is_tcp(packet):
    return len(packet) >= 40 and packet[0] >> 4 == 4 and packet[9] == TCP


def turned(packet):
    """Source and destination swapped; no checksum depends on their order."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def is_fin_from(packet, port):
    header = (packet[0] & 0x0F) * 4
    return struct.unpack_from("!H", packet, header)[0] == port and bool(packet[header + 13] & FIN)


def is_payload_to(packet, port):
    header = (packet[0] & 0x0F) * 4
    payload = struct.unpack_from("!H", packet, 2)[0] - header - (packet[header + 12] >> 4) * 4
    return struct.unpack_from("!H", packet, header + 2)[0] == port and payload > 0


class Relay:
    """Delivers each packet DELAY seconds after it was sent, and a FIN of PORT not before payload to PORT has been sent:
    `on_fin()`, which is called while it is on its way, has that written, however long that takes."""

    def __init__(self, device, delay, port, on_fin):
        self._device, self._delay, self._port, self._on_fin = device, delay, port, on_fin
        self._waiting = []
        self._fin = None  # the first one
        self._released = False
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set():
            wait = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else 0.05
            if select.select([self._device], [], [], wait)[0]:
                self._take(os.read(self._device, 65536))
            while self._waiting and self._waiting[0][0] <= time.monotonic():
                os.write(self._device, self._waiting.pop(0)[1])

    def _take(self, packet):
        if not is_tcp(packet):
            return
        due = (time.monotonic() + self._delay, turned(packet))
        if is_fin_from(packet, self._port):
            if self._fin is None:  # else it was sent again
                self._fin = due
                self._on_fin()
            return
        if self._fin and not self._released and is_payload_to(packet, self._port):
            self._released = True
            self._waiting.append(self._fin)
        self._waiting.append(due)


@contextlib.contextmanager
def delayed_path(delay, port, on_fin):
    """HERE and THERE for the block."""
    device = open_device()
    relay = Relay(device, delay, port, on_fin)
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield
    finally:
        relay.stopped.set()
        thread.join()
        os.close(device)
