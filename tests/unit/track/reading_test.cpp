// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "track/reading.hpp"

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

TEST_CASE("a flight is untouched until a part of it is delivered") {
	SocketModel socket;
	socket.turn(start, 100, 500);
	socket.send(start + seconds(1), 700);
	CHECK(flight_untouched(socket.view()));
	SECTION("the peer reports a needless retransmission of an earlier flight") {
		socket.view().retransmits = 1;
		socket.view().delivered_us += 12'000;
		CHECK(flight_untouched(socket.view()));
	}
	SECTION("a part was delivered") {
		socket.acked_in_part(start + seconds(1) + milliseconds(1), 100);
		socket.view().delivered_tx_us = socket.view().first_tx_us;
		CHECK_FALSE(flight_untouched(socket.view()));
		socket.view().retransmits = 1;
		CHECK_FALSE(flight_untouched(socket.view()));
	}
	SECTION("all was delivered") {
		socket.acked(start + seconds(1) + milliseconds(1));
		CHECK_FALSE(flight_untouched(socket.view()));
	}
}

TEST_CASE("what waits unread while a flight is out: its early answer, or words from before it?") {
	SocketModel socket;
	Event keep;
	SECTION("a close_notify after earlier answers is no answer") {
		socket.turn(start, 100, 500, microseconds(200));
		socket.send(start + microseconds(600), 700);
		socket.receive(start + microseconds(900), longest_parting_record);
		CHECK_FALSE(answered_since_last_write(read_now(socket, start + milliseconds(1), keep)));
	}
	SECTION("more than that is one") {
		socket.turn(start, 100, 500, microseconds(200));
		socket.send(start + microseconds(600), 700);
		socket.receive(start + microseconds(900), longest_parting_record + 1);
		CHECK(answered_since_last_write(read_now(socket, start + milliseconds(1), keep)));
	}
	SECTION("an answer was read while the request was still being sent") {
		socket.send(start, 1000);
		socket.send(start + milliseconds(20), 1000);
		socket.receive(start + milliseconds(40), 500);
		socket.read_all();
		socket.send_ack(start + milliseconds(41));
		socket.acked_in_part(start + milliseconds(45), 1000);
		socket.send(start + milliseconds(200), 1000);
		CHECK(answered_since_last_write(read_now(socket, start + milliseconds(210), keep)));
	}
	SECTION("a part of a later request was delivered: no answer to that") {
		socket.turn(start, 100, 500);
		socket.send(start + milliseconds(200), 2000);
		socket.acked_in_part(start + milliseconds(205), 1000);
		CHECK_FALSE(answered_since_last_write(read_now(socket, start + milliseconds(210), keep)));
	}
	SECTION("however short, when nothing was answered before") {
		socket.send(start, 100);
		socket.acked(start + microseconds(100));
		socket.send(start + microseconds(200), 700);
		socket.receive(start + microseconds(300), 26);
		CHECK(answered_since_last_write(read_now(socket, start + milliseconds(1), keep)));
	}
}

namespace {

/// A request was answered and acknowledged at `start`; then came `bytes` more, acknowledged at once.
SocketModel with_last_words(Nanoseconds when, std::uint32_t bytes,
                            Nanoseconds round_trip = microseconds(300)) {
	SocketModel socket;
	socket.turn(start, 100, 500, round_trip);
	socket.receive(when, bytes);
	socket.send_ack(when);
	return socket;
}

Belief last_words(SocketModel& socket, Nanoseconds now) {
	Event keep;
	return only_last_words(read_now(socket, now, keep), milliseconds(100));
}

std::uint32_t timestamp(Nanoseconds time) {
	return static_cast<std::uint32_t>(time / milliseconds(1));
}

} // namespace

TEST_CASE("last words are proven by an old ACK of ours") {
	SocketModel socket;
	socket.turn(start, 100, 500); // its last segment, the ACK of the answer, leaves 350 us later
	const Nanoseconds acked = start + microseconds(350);
	socket.receive(acked + milliseconds(99), 300);
	CHECK(last_words(socket, acked + milliseconds(99)) == Belief::probably_not);
	CHECK(last_words(socket, acked + milliseconds(100)) == Belief::yes);
}

TEST_CASE("a part of an answer that came some time before the FIN ends the quiet") {
	const Nanoseconds acked = start + microseconds(350);
	const auto after_pause = [&](Nanoseconds pause) {
		SocketModel socket;
		socket.turn(start, 100, 500);
		socket.receive(acked + pause, 9858);
		return last_words(socket, acked + pause + milliseconds(24));
	};
	CHECK(after_pause(milliseconds(91)) == Belief::probably_not);
	CHECK(after_pause(milliseconds(105)) == Belief::yes);
}

TEST_CASE("last words are proven or refuted by the ACK that the peer had seen") {
	constexpr Nanoseconds now = start + seconds(1);
	SocketModel socket = with_last_words(now, 300, milliseconds(20));
	socket.view().srtt_us = 20'000;
	SECTION("an ACK older than the threshold and its way") {
		socket.view().echoed_ms = timestamp(now - milliseconds(380));
		CHECK(last_words(socket, now) == Belief::yes);
	}
	SECTION("an ACK that may, but hardly, have been on its way for so long") {
		socket.view().echoed_ms = timestamp(now - milliseconds(379));
		CHECK(last_words(socket, now) == Belief::probably);
		socket.view().echoed_ms = timestamp(now - milliseconds(160));
		CHECK(last_words(socket, now) == Belief::probably);
	}
	SECTION("an ACK that could have been held back") {
		socket.view().echoed_ms = timestamp(now - milliseconds(159));
		CHECK(last_words(socket, now) == Belief::probably_not);
	}
	SECTION("a younger ACK, and more of ours on the way: an answer still streams") {
		socket.view().echoed_ms = timestamp(now - milliseconds(99));
		CHECK(last_words(socket, now) == Belief::no);
	}
	SECTION("our newest segment: it may be the ACK of the last words") {
		socket.view().echoed_ms = timestamp(now);
		CHECK(last_words(socket, now) == Belief::probably_not);
	}
	SECTION("our last write itself: what came is its answer") {
		socket.view().echoed_ms = timestamp(start);
		CHECK(last_words(socket, now) == Belief::no);
	}
	SECTION("our last write itself, but an ACK after it may have been on its way for so long") {
		socket.view().echoed_ms = timestamp(start);
		socket.view().srtt_us = 200'001;
		CHECK(last_words(socket, now) == Belief::probably_not);
	}
	SECTION("a path faster than timestamps, whatever the handshake took") {
		SocketModel fast = with_last_words(now, 300, microseconds(50));
		fast.view().srtt_us = 20'000;
		fast.view().echoed_ms = timestamp(start);
		CHECK(last_words(fast, now) == Belief::probably_not);
	}
}

TEST_CASE("last words are guessed by their length where the path is too fast for timestamps") {
	constexpr Nanoseconds now = start + seconds(1);
	for (const std::uint32_t echoed : {0U, timestamp(now)}) {
		SocketModel parting = with_last_words(now, longest_parting_words);
		SocketModel answer = with_last_words(now, longest_parting_words + 1);
		parting.view().echoed_ms = answer.view().echoed_ms = echoed;
		CHECK(last_words(parting, now) == Belief::probably);
		CHECK(last_words(answer, now) == Belief::probably_not);
	}
}

TEST_CASE("short last words in two segments are not refuted by the ACK of the first") {
	constexpr Nanoseconds now = start + seconds(1);
	for (const std::uint32_t bytes : {70U, longest_parting_words, longest_parting_words + 1}) {
		SocketModel socket = with_last_words(now, bytes, milliseconds(20));
		socket.view().srtt_us = 20'000;
		socket.view().echoed_ms = timestamp(now - milliseconds(30));
		CHECK(last_words(socket, now) ==
		      (bytes <= longest_parting_words ? Belief::probably : Belief::no));
	}
}

TEST_CASE("nothing is last words while the application has not read an answer") {
	SocketModel socket;
	socket.send(start, 100);
	socket.acked(start + milliseconds(1));
	socket.receive(start + seconds(1), 26);
	socket.send_ack(start + seconds(1));
	CHECK(last_words(socket, start + seconds(1)) == Belief::no);
}

} // namespace stalesock::test
