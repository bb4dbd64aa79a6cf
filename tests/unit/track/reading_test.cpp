// SPDX-License-Identifier: Apache-2.0
#include "support/socket_model.hpp"
#include "track/reading.hpp"

#include <catch2/catch.hpp>

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

Reading read_now(SocketModel& socket, Nanoseconds now, Event& keep) {
	keep = socket.full(EventKind::inventory, now);
	return {*keep.view, keep.peer_fin_seen, true, tick};
}

} // namespace

TEST_CASE("unread bytes do not count the FIN, read or not, and wrap with the sequence numbers") {
	SocketView view;
	view.bytes_received = 500;
	view.copied_seq = 0xfffffff0U;
	view.rcv_nxt = view.copied_seq + 300;
	CHECK(unread_bytes({view, false, true, tick}) == 300);
	view.rcv_nxt++;
	CHECK(unread_bytes({view, true, true, tick}) == 300);
	view.copied_seq = view.rcv_nxt;
	CHECK(unread_bytes({view, true, true, tick}) == 0);
}

TEST_CASE("the send age is exact while a segment is processed, whatever jiffies say") {
	SocketModel socket;
	socket.turn(start + microseconds(1234), 100, 200);
	Event event = socket.full(EventKind::peer_fin, start + seconds(2));
	event.view->send_age_ticks = 0; // the timekeeping CPU was away
	CHECK(send_age({*event.view, false, true, tick}) == seconds(2) - microseconds(1234));
}

TEST_CASE("the send age is read from jiffies where TCP's clock is old or the flight is half "
          "acknowledged") {
	SocketModel socket;
	Event keep;
	socket.turn(start, 100, 200);
	socket.send(start + seconds(1), 100);
	SECTION("old clock") {
		const Event event = socket.full(EventKind::end, start + seconds(2));
		CHECK(send_age({*event.view, false, false, tick}) == seconds(1));
	}
	SECTION("half acknowledged: first_tx_us is an older segment's") {
		socket.acked_in_part(start + seconds(1), 50);
		socket.view().first_tx_us -= 500'000;
		CHECK(send_age(read_now(socket, start + seconds(2), keep)) == seconds(1));
	}
}

TEST_CASE("the receive age is kept between our last ACK and the delivery that was answered") {
	SocketModel socket;
	socket.turn(start, 100, 200, milliseconds(30));
	Event event = socket.full(EventKind::peer_fin, start + seconds(1));
	SECTION("jiffies lag at the event") {
		event.view->receive_age_ticks -= 20;
		CHECK(receive_age({*event.view, false, true, tick}) ==
		      seconds(1) - milliseconds(30) - microseconds(50));
	}
	SECTION("jiffies lagged at the receive") {
		event.view->receive_age_ticks += 7;
		CHECK(receive_age({*event.view, false, true, tick}) == seconds(1) - milliseconds(30));
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

TEST_CASE("a paced socket's send stamp runs ahead, but not past the acknowledgement") {
	SocketModel socket;
	socket.turn(start, 10, 20, microseconds(20));
	socket.send(start + microseconds(200), 10);
	socket.acked(start + microseconds(220));
	Event event = socket.full(EventKind::inventory, start + seconds(1));
	event.view->last_tx_ns += 15'000;
	CHECK_FALSE(answered_since_last_write({*event.view, false, true, tick}));
}

TEST_CASE("the gap before a send is never negative") {
	SocketModel socket;
	Event keep;
	socket.turn(start, 10, 20, milliseconds(50));
	CHECK(gap_before_send(read_now(socket, start + seconds(1), keep)) == Nanoseconds::zero());
	socket.send(start + milliseconds(850), 10);
	CHECK(gap_before_send(read_now(socket, start + seconds(1), keep)) == milliseconds(800));
}

} // namespace stalesock::test
