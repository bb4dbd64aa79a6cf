// SPDX-License-Identifier: Apache-2.0
#include "support/snapshot_sample.hpp"

namespace stalesock::test {

using namespace std::chrono_literals;

SocketEntry connected(std::uint64_t cookie, const char* local, const char* remote, TcpState state) {
	SocketEntry entry;
	entry.cookie = cookie;
	entry.netns = 4026531833;
	entry.full = true;
	entry.state = state;
	entry.local = parse_endpoint(local).value_or(Endpoint{});
	entry.remote = parse_endpoint(remote).value_or(Endpoint{});
	entry.bytes_sent = 120;
	entry.bytes_received = 4096;
	entry.send_age = entry.receive_age = entry.ack_age = entry.transmit_age = 1s;
	entry.keepalive_idle = 7200s;
	entry.keepalive_interval = 75s;
	entry.keepalive_probes = 9;
	return entry;
}

namespace {

SocketEntry listening(std::uint64_t cookie, const char* local) {
	SocketEntry entry = connected(cookie, local, "");
	entry.state = TcpState::listen;
	entry.unread = 3;
	entry.unacked = 128;
	return entry;
}

SocketEntry stale(std::uint64_t cookie, const char* local, const char* remote, Nanoseconds fin) {
	SocketEntry entry = connected(cookie, local, remote, TcpState::close_wait);
	entry.peer_fin_seen = true;
	entry.send_age = fin + 5s;
	entry.receive_age = fin + 4900ms;
	entry.ack_age = entry.transmit_age = fin;
	entry.unread = 25; // the FIN is one of them
	return entry;
}

SocketEntry with_keepalive(SocketEntry entry) {
	entry.keepalive = entry.keepalive_armed = true;
	entry.keepalive_idle = 60s;
	entry.keepalive_interval = 10s;
	entry.keepalive_probes = 6;
	entry.timer_kind = TimerKind::keepalive;
	entry.timer = entry.keepalive_timer = 42s;
	return entry;
}

SocketEntry held_by(std::uint32_t process, SocketEntry entry) {
	entry.process = process;
	entry.holders = 1;
	return entry;
}

SocketEntry entry_of(TcpState state, TimerKind timer) {
	SocketEntry entry;
	entry.state = state;
	entry.netns = 4026531833;
	entry.local = *parse_endpoint("192.0.2.1:80");
	entry.remote = *parse_endpoint("198.51.100.4:50123");
	entry.timer_kind = timer;
	entry.timer = 59s;
	return entry;
}

} // namespace

SocketTable snapshot_sample() {
	SocketTable table;
	table.tick = 4ms;
	table.namespaces = 2;
	table.processes = {{},
	                   {812, "nginx", "nginx.service"},
	                   {4711, "java", {}},
	                   {4712, "\x1b[31mevil\n", "a\\x2db.service"}};
	table.sockets.push_back(held_by(1, listening(1, "0.0.0.0:80")));
	table.sockets.push_back(
		held_by(1, with_keepalive(connected(2, "10.0.0.1:40001", "10.0.0.7:8080"))));
	table.sockets.push_back(held_by(2, stale(3, "10.0.0.1:40002", "10.0.0.7:8080", 498ms)));
	table.sockets.push_back(
		held_by(2, stale(4, "[2001:db8::1]:40003", "[2001:db8::7]:443", 3h + 7min)));
	SocketEntry passive = connected(5, "192.0.2.1:80", "198.51.100.3:50122");
	passive.inherited_backlog = true;
	passive.unread = 17;
	table.sockets.push_back(held_by(3, passive));
	SocketEntry unused = connected(6, "10.0.0.1:40004", "10.0.0.8:5432");
	unused.bytes_sent = unused.bytes_received = 0;
	unused.send_age = unused.receive_age = 75s;
	table.sockets.push_back(unused);
	SocketEntry unanswered = connected(7, "10.0.0.1:40005", "10.0.0.9:80");
	unanswered.timer_kind = TimerKind::retransmit;
	unanswered.timer = 6400ms;
	unanswered.timer_tries = 5;
	unanswered.retransmits = 5;
	unanswered.unacked = 512;
	table.sockets.push_back(unanswered);
	table.sockets.push_back(entry_of(TcpState::time_wait, TimerKind::time_wait));
	table.sockets.push_back(entry_of(TcpState::new_syn_recv, TimerKind::retransmit));
	return table;
}

} // namespace stalesock::test
