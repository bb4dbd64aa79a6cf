# SPDX-License-Identifier: Apache-2.0
"""Connections on loopback that stay in every TCP state, for as long as their holder lives."""
import socket
import struct
import subprocess

DEAF = "10.99.0.7"  # nobody: packets to it leave into a cable whose other end has no address


def prepare_network():
	"""In a private namespace: where handshakes and FINs are never answered."""
	commands = ["ip link add deaf0 type veth peer name deaf1", "ip link set deaf1 up",
	            "ip addr add 10.99.0.1/24 dev deaf0",
	            "ip link set deaf0 up",
	            "ip neigh add 10.99.0.7 lladdr 02:00:00:00:00:07 dev deaf0"]
	for command in commands:
		subprocess.run(command.split(), check=True)


def silence(source, destination):
	"""From now on nothing that SOURCE sends to DESTINATION arrives. The other direction does."""
	rules = [["rule", "add", "pref", "10", "lookup", "local"], ["rule", "del", "pref", "0"]]
	has_first = subprocess.run(["ip", "rule", "show", "pref", "0"], capture_output=True).stdout
	for rule in rules if has_first else []:
		subprocess.run(["ip", *rule], check=True)
	subprocess.run(["ip", "rule", "add", "pref", "5", "from", source, "to", destination,
	                "blackhole"], check=True)


class Maker:
	"""Makes pairs of sockets between addresses of 127/8 and keeps what has to stay open."""

	def __init__(self):
		self.held = []
		self.port = 7000

	def listener(self, address="127.0.0.1", backlog=64, family=socket.AF_INET):
		listener = socket.socket(family)
		listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		listener.bind((address, self.port))
		listener.listen(backlog)
		self.port += 1
		self.held.append(listener)
		return listener

	def pair(self, listener, source=None):
		active = socket.socket(listener.family)
		if source:
			active.bind((source, 0))
		active.connect(listener.getsockname()[:2])
		passive, _ = listener.accept()
		self.held += [active, passive]
		return active, passive

	def used_pair(self, listener, source=None, request=b"request", response=b"response!"):
		active, passive = self.pair(listener, source)
		active.sendall(request)
		passive.recv(len(request), socket.MSG_WAITALL)
		passive.sendall(response)
		active.recv(len(response), socket.MSG_WAITALL)
		return active, passive

	def established(self, count, family=socket.AF_INET, address="127.0.0.1"):
		listener = self.listener(address, family=family)
		for number in range(count):
			active, _ = self.used_pair(listener, request=b"r" * (number % 50 + 1))
			if number % 2:
				active.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
			if number % 4 == 1:
				active.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 600 + number)
				active.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20)
				active.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 5)

	def never_used(self, count):
		listener = self.listener()
		for _ in range(count):
			self.pair(listener)

	def unread(self, count):
		listener = self.listener()
		for number in range(count):
			active, _ = self.pair(listener)
			active.sendall(b"u" * (number + 1))

	def close_wait(self, count):
		"""The peer is in FIN_WAIT2."""
		listener = self.listener()
		for number in range(count):
			active, passive = self.used_pair(listener)
			if number % 3 == 0:
				passive.sendall(b"last words")
			passive.shutdown(socket.SHUT_WR)
			if number % 5 == 0:
				active.sendall(b"late")

	def time_wait(self, count):
		listener = self.listener()
		for _ in range(count):
			active, passive = self.used_pair(listener)
			active.close()
			passive.recv(1)
			passive.close()

	def orphaned_fin_wait2(self, count):
		listener = self.listener()
		for _ in range(count):
			active, _ = self.used_pair(listener)
			active.close()

	def fin_wait1(self, count):
		"""The peer's window is closed, so that the FIN waits behind payload."""
		listener = self.listener()
		listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
		for _ in range(count):
			active, _ = self.pair(listener)
			active.setblocking(False)
			try:
				while True:
					active.send(b"f" * 65536)
			except BlockingIOError:
				pass
			active.shutdown(socket.SHUT_WR)

	def unacknowledged(self, count, address, closing):
		"""Packets of the active end to ADDRESS are lost: FINs of the active end stay in FIN_WAIT1, or in CLOSING where the peer's FIN
		comes; without CLOSING the passive end closed first: LAST_ACK."""
		listener = self.listener(address)
		pairs = [self.used_pair(listener, source="127.1.0.1") for _ in range(count)]
		if not closing:
			for _, passive in pairs:
				passive.shutdown(socket.SHUT_WR)
			for active, _ in pairs:
				active.recv(1)
		silence("127.1.0.1", address)
		for active, passive in pairs:
			if closing:
				active.shutdown(socket.SHUT_WR)
				passive.shutdown(socket.SHUT_WR)
			else:
				active.close()

	def syn_sent(self, count):
		for _ in range(count):
			active = socket.socket()
			active.setblocking(False)
			active.connect_ex((DEAF, 80))
			self.held.append(active)

	def syn_received(self, count):
		"""SYNs from a host that does not exist: the SYN+ACK is never answered."""
		listener = self.listener("10.99.0.1")
		raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
		for number in range(count):
			raw.sendto(syn(DEAF, 20_000 + number, *listener.getsockname()), ("10.99.0.1", 0))


def checksum(data):
	total = sum(struct.unpack(f"!{len(data) // 2}H", data))
	while total >> 16:
		total = (total & 0xffff) + (total >> 16)
	return ~total & 0xffff


def syn(source, source_port, destination, destination_port):
	addresses = socket.inet_aton(source) + socket.inet_aton(destination)
	tcp = struct.pack("!HHIIBBHHH", source_port, destination_port, 1000, 0, 5 << 4, 2, 65535, 0, 0)
	pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
	tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
	return struct.pack("!BBHHHBBH", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0) + addresses + tcp
