// SPDX-License-Identifier: Apache-2.0
#include "app/demo_story.hpp"

#include "support/catch.hpp"
#include "support/socket_model.hpp"

namespace stalesock::test {

namespace {

using Lines = std::vector<std::string>;

constexpr Nanoseconds start = seconds(1000);

Event at(Nanoseconds time, EventKind kind) {
	Event event;
	event.time = start + time;
	event.kind = kind;
	return event;
}

} // namespace

TEST_CASE("the story of a stale reuse", "[app]") {
	SocketModel socket;
	Lines story;
	std::vector<Event> events{socket.open(start)};
	socket.turn(start + milliseconds(2), 30, 43);
	events.push_back(socket.peer_fin(start + milliseconds(1002)));
	Event late = socket.late_write(start + milliseconds(1500), 30);
	const Event reset = socket.reset(start + milliseconds(1500) + microseconds(60));
	late.time = reset.time + microseconds(20); // reported when the write returns
	events.push_back(reset);
	events.push_back(late);
	events.push_back(socket.destroyed(start + milliseconds(1600)));
	CHECK(tell_story(events, tick) ==
	      Lines{"      0.0 ms  client (pid 812) opens a connection to 10.0.0.7:8080",
	            "      2.0 ms  the last send; 30 B sent and 43 B received so far, then silence",
	            "   1002.0 ms  the peer's FIN arrives: it will not answer any more",
	            "   1500.0 ms  client (pid 812) writes 30 B after the peer's FIN; the kernel "
	            "accepts them",
	            "   1500.1 ms  the peer answers with a reset: the connection is gone"});
}

TEST_CASE("nothing to tell is no story", "[app]") {
	CHECK(tell_story({}, tick).empty());
	CHECK(tell_story({at({}, EventKind::owner), at({}, EventKind::released)}, tick).empty());
	CHECK(tell_story({at({}, EventKind::late_write)}, tick).empty());
}

TEST_CASE("the last exchange is never told before the connection was opened", "[app]") {
	SocketModel socket;
	const std::vector<Event> events{socket.open(start), socket.peer_fin(start + milliseconds(1))};
	std::vector<Event> lagging = events;
	lagging[1].view->send_age_ticks = 1000;
	CHECK(tell_story(lagging, tick).at(1) ==
	      "      0.0 ms  the last send; 0 B sent and 0 B received so far, then silence");
}

TEST_CASE("each event in its own words", "[app]") {
	Event read = at({}, EventKind::eof_read);
	Event peek = at({}, EventKind::eof_read);
	peek.peek = true;
	peek.actor = Actor{812, "client\x1b"};
	Event timed_out = at({}, EventKind::end);
	timed_out.error = ETIMEDOUT;
	const std::vector<Event> events{at({}, EventKind::inventory),
	                                at({}, EventKind::open),
	                                read,
	                                peek,
	                                at({}, EventKind::close),
	                                at({}, EventKind::keepalive_probe),
	                                at({}, EventKind::retransmit),
	                                timed_out,
	                                at({}, EventKind::end)};
	Lines told;
	for (const std::string& line : tell_story(events, tick)) {
		told.push_back(line.substr(14));
	}
	CHECK(told == Lines{"the connection existed already", "somebody opens a connection to [::]:0",
	                    "the application reads the end of file",
	                    "client\\x1b (pid 812) peeks at the end of file", "the application closes",
	                    "a TCP keepalive probe is sent", "unanswered data is sent again",
	                    "the connection ends with error 110", "the connection ends"});
}

} // namespace stalesock::test
