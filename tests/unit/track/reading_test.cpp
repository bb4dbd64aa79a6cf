// SPDX-License-Identifier: Apache-2.0
#include "support/socket_model.hpp"
#include "track/reading.hpp"

#include <catch2/catch.hpp>

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

Reading read_now(SocketModel& socket, Nanoseconds now, Event& keep) {
	keep = socket.full(EventKind::inventory, now);
	return {*keep.view, keep.peer_fin_seen, keep.paced, tick};
}

} // namespace

TEST_CASE("unread bytes do not count the FIN, read or not, and wrap with the sequence numbers") {
	SocketView view;
	view.bytes_received = 500;
	view.copied_seq = 0xfffffff0U;
	view.rcv_nxt = view.copied_seq + 300;
	CHECK(unread_bytes({view, false, false, tick}) == 300);
	view.rcv_nxt++;
	CHECK(unread_bytes({view, true, false, tick}) == 300);
	view.copied_seq = view.rcv_nxt;
	CHECK(unread_bytes({view, true, false, tick}) == 0);
}

TEST_CASE("the send age is exact when TCP's own stamp is that send's") {
	SocketModel socket;
	Event keep;
	socket.turn(start + microseconds(1234), 100, 200);
	CHECK(send_age(read_now(socket, start + seconds(2), keep)) == seconds(2) - microseconds(1234));
}

TEST_CASE("a stamp that disagrees with the tick count is not believed") {
	SocketModel socket;
	Event keep;
	socket.turn(start, 100, 200);
	SECTION("of an older segment") {
		socket.view().first_tx_us -= 60'000'000;
		CHECK(send_age(read_now(socket, start + seconds(2), keep)) == seconds(2));
	}
	SECTION("of the future") {
		socket.view().first_tx_us += 60'000'000;
		CHECK(send_age(read_now(socket, start + seconds(2), keep)) == seconds(2));
	}
	SECTION("within two ticks it is") {
		socket.view().first_tx_us -= 7'000;
		CHECK(send_age(read_now(socket, start + seconds(2), keep)) ==
		      seconds(2) + microseconds(7'000));
	}
}

TEST_CASE("answered since the last write") {
	SocketModel socket;
	Event keep;
	SECTION("nothing was ever received") {
		socket.send(start, 10);
		CHECK_FALSE(answered_since_last_write(read_now(socket, start + seconds(1), keep)));
	}
	SECTION("ticks tell") {
		socket.turn(start, 10, 20, milliseconds(20));
		CHECK(answered_since_last_write(read_now(socket, start + seconds(1), keep)));
		socket.send(start + milliseconds(500), 10);
		socket.acked(start + milliseconds(501));
		CHECK_FALSE(answered_since_last_write(read_now(socket, start + seconds(1), keep)));
	}
	SECTION("within a tick, an ACK of ours after the write tells") {
		socket.turn(start, 10, 20, microseconds(20));
		CHECK(answered_since_last_write(read_now(socket, start + seconds(1), keep)));
		socket.send(start + microseconds(200), 10);
		socket.acked(start + microseconds(220));
		CHECK_FALSE(answered_since_last_write(read_now(socket, start + seconds(1), keep)));
	}
}

TEST_CASE("a pacing socket's send stamp runs ahead and is not used for order") {
	SocketModel socket;
	socket.turn(start, 10, 20, microseconds(20));
	socket.send(start + microseconds(200), 10);
	socket.acked(start + microseconds(220));
	const Event event = socket.full(EventKind::inventory, start + seconds(1));
	CHECK(answered_since_last_write({*event.view, false, true, tick}));
}

TEST_CASE("the gap before a send is never negative") {
	SocketModel socket;
	Event keep;
	socket.turn(start, 10, 20, milliseconds(50));
	CHECK(gap_before_send(read_now(socket, start + seconds(1), keep)) == Nanoseconds::zero());
	socket.send(start + milliseconds(850), 10);
	CHECK(gap_before_send(read_now(socket, start + seconds(1), keep)) == milliseconds(802));
}

} // namespace stalesock::test
