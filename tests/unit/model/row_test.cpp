// SPDX-License-Identifier: Apache-2.0
#include "model/row.hpp"

#include "support/catch.hpp"
#include "support/snapshot_sample.hpp"

namespace stalesock::test {

using namespace std::chrono_literals;

namespace {

Row row_of(const SocketEntry& entry, const Memory* memory = nullptr) {
	static SocketTable table;
	table.tick = 4ms;
	table.sockets = {entry};
	return RowReader(table, sample_moment, memory).read(table.sockets.front());
}

SocketEntry half_closed() {
	SocketEntry entry = connected(9, "10.0.0.1:40001", "10.0.0.7:80", TcpState::close_wait);
	entry.peer_fin_seen = true;
	entry.unread = 1;
	entry.send_age = 5s;
	entry.receive_age = 4s;
	entry.ack_age = entry.transmit_age = 2s;
	return entry;
}

} // namespace

TEST_CASE("who closed first follows from the state", "[row]") {
	SocketEntry entry = connected(1, "10.0.0.1:1", "10.0.0.2:2");
	const auto closer = [&](TcpState state) {
		entry.state = state;
		return row_of(entry).first_closer;
	};
	CHECK(closer(TcpState::established) == FirstCloser::unknown);
	CHECK(closer(TcpState::close_wait) == FirstCloser::peer);
	CHECK(closer(TcpState::last_ack) == FirstCloser::peer);
	CHECK(closer(TcpState::fin_wait1) == FirstCloser::us);
	CHECK(closer(TcpState::fin_wait2) == FirstCloser::us);
	CHECK(closer(TcpState::time_wait) == FirstCloser::us);
	CHECK(closer(TcpState::closing) == FirstCloser::both);
}

TEST_CASE("the time of the FIN is that of the last ACK when nothing was said since", "[row]") {
	CHECK(row_of(half_closed()).fin_age == 2s);
}

TEST_CASE("the time of the FIN is not known once a later ACK is possible", "[row]") {
	SocketEntry entry = half_closed();
	SECTION("a keepalive probe may have been answered") {
		entry.keepalive = true;
	}
	SECTION("the application wrote afterwards") {
		entry.send_age = entry.transmit_age = 2s;
	}
	SECTION("the peer said something that was not acknowledged") {
		entry.ack_age = 1s;
	}
	CHECK_FALSE(row_of(entry).fin_age.has_value());
}

TEST_CASE("a FIN that came with the last payload is known, keepalive or not", "[row]") {
	SocketEntry entry = half_closed();
	entry.keepalive = true;
	entry.receive_age = entry.ack_age + 4ms;
	CHECK(row_of(entry).fin_age == 2s);
	entry.receive_age += 1ns;
	CHECK_FALSE(row_of(entry).fin_age.has_value());
}

TEST_CASE("the FIN is not unread payload", "[row]") {
	SocketEntry entry = half_closed();
	CHECK(row_of(entry).unread == 0U);
	entry.unread = 26;
	CHECK(row_of(entry).unread == 25U);
	entry.unread = 0; // EOF was read
	CHECK(row_of(entry).unread == 0U);
}

TEST_CASE("our SYN and our FIN are not payload that waits for an ACK", "[row]") {
	SocketEntry entry = connected(1, "10.0.0.1:1", "10.0.0.2:2", TcpState::last_ack);
	entry.unacked = 11;
	CHECK(row_of(entry).unacked == 10U);
	entry.state = TcpState::established;
	CHECK(row_of(entry).unacked == 11U);
}

TEST_CASE("the age is known while one direction is unused", "[row]") {
	SocketEntry entry = connected(1, "10.0.0.1:1", "10.0.0.2:2");
	entry.receive_age = 30s;
	CHECK_FALSE(row_of(entry).age.has_value());
	entry.bytes_received = 0;
	CHECK(row_of(entry).age == 30s);
	CHECK_FALSE(row_of(entry).received_age.has_value());
	CHECK(row_of(entry).sent_age == 1s);
}

TEST_CASE("the next keepalive probe is not sent while the peer is heard", "[row]") {
	SocketEntry entry = connected(1, "10.0.0.1:1", "10.0.0.2:2");
	entry.keepalive = entry.keepalive_armed = true;
	entry.timer_kind = TimerKind::keepalive;
	entry.keepalive_idle = 60s;
	entry.keepalive_timer = 10s; // set 50 s ago; the peer was heard 1 s ago
	CHECK(row_of(entry).next_probe == 59s);
	entry.receive_age = entry.ack_age = 55s;
	CHECK(row_of(entry).next_probe == 10s);
	entry.probes_out = 2;
	entry.receive_age = entry.ack_age = 1s;
	CHECK(row_of(entry).next_probe == 10s);
	entry.keepalive = false;
	CHECK_FALSE(row_of(entry).next_probe.has_value());
}

TEST_CASE("a port whose listener has no backlog tells no role", "[row]") {
	SocketTable table;
	table.tick = 4ms;
	table.sockets = {connected(1, "10.0.0.1:80", "10.0.0.2:2"),
	                 connected(2, "10.0.0.1:81", "10.0.0.2:2")};
	SocketEntry listener = connected(3, "0.0.0.0:80", "");
	listener.state = TcpState::listen;
	table.sockets.push_back(listener);
	const RowReader reader(table, sample_moment);
	CHECK(reader.read(table.sockets[0]).role == Role::unknown);
	CHECK(reader.read(table.sockets[1]).role == Role::active);
	table.sockets[0].inherited_backlog = true;
	CHECK(reader.read(table.sockets[0]).role == Role::passive);
}

TEST_CASE("sock_diag tells neither role, keepalive nor the time of the FIN", "[row]") {
	SocketEntry entry = half_closed();
	entry.flags_known = false;
	const Row row = row_of(entry);
	CHECK(row.role == Role::unknown);
	CHECK_FALSE(row.fin_age.has_value());
	CHECK(row.unread == 0U);
}

TEST_CASE("what was observed goes before what is read from the socket", "[row]") {
	SampleMemory memory;
	memory.connections[9] = {sample_moment - 90s, sample_moment - 3s, Role::passive, "idle_close"};
	const Row row = row_of(half_closed(), &memory);
	CHECK(row.age == 90s);
	CHECK(row.fin_age == 3s);
	CHECK(row.role == Role::passive);
	CHECK(row.verdict == "idle_close");
}

TEST_CASE("time left until the peer closes, zero when it is overdue", "[row]") {
	SampleMemory memory;
	SocketEntry entry = connected(1, "10.0.0.1:1", "10.0.0.2:80");
	memory.peers[entry.remote] = {5s, 0s, 7};
	CHECK(row_of(entry, &memory).time_left == 4s);
	entry.send_age = 6s;
	CHECK(row_of(entry, &memory).time_left == 0s);
	entry.state = TcpState::close_wait;
	CHECK_FALSE(row_of(entry, &memory).time_left.has_value());
	entry.inherited_backlog = true;
	CHECK_FALSE(row_of(entry, &memory).peer.has_value());
}

} // namespace stalesock::test
