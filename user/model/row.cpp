// SPDX-License-Identifier: Apache-2.0
#include "model/row.hpp"

#include <algorithm>

namespace stalesock {

namespace {

bool has_exchanged(const SocketEntry& socket) {
	switch (socket.state) {
	case TcpState::unknown:
	case TcpState::syn_sent:
	case TcpState::syn_recv:
	case TcpState::new_syn_recv:
	case TcpState::listen:
	case TcpState::close: return false;
	default: return socket.full;
	}
}

FirstCloser first_closer_of(const SocketEntry& socket) {
	switch (socket.state) {
	case TcpState::close_wait:
	case TcpState::last_ack: return FirstCloser::peer;
	case TcpState::fin_wait1:
	case TcpState::fin_wait2:
	case TcpState::time_wait: return FirstCloser::us;
	case TcpState::closing: return FirstCloser::both;
	default: return FirstCloser::unknown;
	}
}

/// Both clocks start with the handshake, and stay there while nothing is sent or received.
std::optional<Nanoseconds> age_of(const SocketEntry& socket) {
	if (socket.bytes_sent == 0) {
		return socket.send_age;
	}
	if (socket.bytes_received == 0) {
		return socket.receive_age;
	}
	return std::nullopt;
}

/// The ACK of the FIN was the last segment we sent, and the FIN the last one we took: nothing but a keepalive
/// probe and its answer looks the same.
bool is_silent_since_fin(const SocketEntry& socket, Nanoseconds tick) {
	constexpr auto delayed_ack = std::chrono::milliseconds(40); // TCP_DELACK_MIN, net/tcp.h
	const Nanoseconds apart = std::chrono::abs(socket.transmit_age - socket.ack_age);
	return !socket.keepalive && apart <= delayed_ack + 2 * tick &&
	       socket.send_age - socket.transmit_age > 2 * tick;
}

/// Payload cannot come after the FIN, and the FIN's own ACK sets rcv_tstamp: the FIN came no earlier than the
/// last payload and no later than the last ACK. If both are one moment, that was it.
std::optional<Nanoseconds> fin_age_of(const SocketEntry& socket, Nanoseconds tick) {
	if (socket.state != TcpState::close_wait || !socket.flags_known) {
		return std::nullopt;
	}
	const bool with_last_payload = socket.receive_age - socket.ack_age <= tick;
	if (with_last_payload || is_silent_since_fin(socket, tick)) {
		return socket.ack_age;
	}
	return std::nullopt;
}

/// rcv_nxt counts the peer's FIN, until it has been read: then copied_seq does too.
std::uint32_t unread_of(const SocketEntry& socket) {
	const std::uint32_t unread = socket.unread - (socket.peer_fin_seen ? 1U : 0U);
	return unread > socket.bytes_received ? 0 : unread;
}

/// write_seq counts our SYN and our FIN.
std::uint32_t unacked_of(const SocketEntry& socket) {
	switch (socket.state) {
	case TcpState::syn_sent:
	case TcpState::syn_recv:
	case TcpState::fin_wait1:
	case TcpState::closing:
	case TcpState::last_ack: return socket.unacked == 0 ? 0 : socket.unacked - 1;
	default: return socket.unacked;
	}
}

/// The timer is not moved when something arrives: when it expires too early it is set again for the rest
/// (tcp_keepalive_timer). Once a probe is out, it is exact.
std::optional<Nanoseconds> next_probe_of(const SocketEntry& socket) {
	const bool idle = socket.timer_kind == TimerKind::keepalive;
	if (!socket.keepalive || !socket.keepalive_armed || !idle ||
	    (socket.state == TcpState::fin_wait2 && socket.orphan)) {
		return std::nullopt;
	}
	if (socket.probes_out != 0) {
		return socket.keepalive_timer;
	}
	const Nanoseconds quiet = std::min(socket.receive_age, socket.ack_age);
	return std::max(socket.keepalive_timer, socket.keepalive_idle - quiet);
}

void read_traffic(Row& row, Nanoseconds tick) {
	const SocketEntry& socket = *row.socket;
	if (!has_exchanged(socket)) {
		return;
	}
	row.age = age_of(socket);
	if (socket.bytes_sent != 0) {
		row.sent_age = socket.send_age;
	}
	if (socket.bytes_received != 0) {
		row.received_age = socket.receive_age;
	}
	row.fin_age = fin_age_of(socket, tick);
	row.unread = unread_of(socket);
	row.unacked = unacked_of(socket);
	row.next_probe = next_probe_of(socket);
}

} // namespace

std::string_view to_string(FirstCloser closer) {
	switch (closer) {
	case FirstCloser::unknown: return {};
	case FirstCloser::peer: return "peer";
	case FirstCloser::us: return "us";
	case FirstCloser::both: return "both";
	}
	return {};
}

bool is_stale(const SocketEntry& socket) {
	return socket.state == TcpState::close_wait;
}

std::optional<Nanoseconds> idle_time(const Row& row) {
	return row.sent_age ? row.sent_age : row.age;
}

std::string_view command_of(const Row& row) {
	return row.process == nullptr ? std::string_view{} : row.process->command;
}

RowReader::RowReader(const SocketTable& table, Nanoseconds taken, const Memory* memory)
	: table_(table), taken_(taken), memory_(memory) {
	for (const SocketEntry& socket : table.sockets) {
		if (socket.state == TcpState::listen && socket.unacked == 0) {
			ports_without_backlog_.push_back(socket.local.port);
		}
	}
}

Role RowReader::role_of(const SocketEntry& socket) const {
	switch (socket.state) {
	case TcpState::listen:
	case TcpState::unknown:
	case TcpState::close: return Role::unknown;
	case TcpState::syn_recv:
	case TcpState::new_syn_recv: return Role::passive;
	default: break;
	}
	if (socket.inherited_backlog) {
		return Role::passive;
	}
	const bool ambiguous = std::find(ports_without_backlog_.begin(), ports_without_backlog_.end(),
	                                 socket.local.port) != ports_without_backlog_.end();
	return !socket.full || !socket.flags_known || ambiguous ? Role::unknown : Role::active;
}

void RowReader::recall(Row& row) const {
	const SocketEntry& socket = *row.socket;
	if (const auto known = memory_->connection(socket.cookie)) {
		if (known->role != Role::unknown) {
			row.role = known->role;
		}
		if (known->opened) {
			row.age = std::max(taken_ - *known->opened, Nanoseconds::zero());
		}
		if (known->peer_fin) {
			row.fin_age = std::max(taken_ - *known->peer_fin, Nanoseconds::zero());
		}
		row.verdict = known->verdict;
	}
	if (row.role != Role::active) {
		return;
	}
	row.peer = memory_->peer(socket.remote, socket.netns);
	const auto idle = idle_time(row);
	if (row.peer && idle && socket.state == TcpState::established) {
		row.time_left = std::max(row.peer->idle - *idle, Nanoseconds::zero());
	}
}

Row RowReader::read(const SocketEntry& socket) const {
	Row row;
	row.socket = &socket;
	row.process = socket.process == 0 ? nullptr : &table_.processes[socket.process];
	row.role = role_of(socket);
	row.first_closer = first_closer_of(socket);
	read_traffic(row, table_.tick);
	if (memory_ != nullptr) {
		recall(row);
	}
	return row;
}

} // namespace stalesock
