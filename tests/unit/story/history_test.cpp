// SPDX-License-Identifier: Apache-2.0
#include "story/history.hpp"

#include "support/catch.hpp"
#include "support/socket_model.hpp"

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);

Event event_of(EventKind kind, std::uint64_t cookie, Nanoseconds time = start) {
	Event event;
	event.kind = kind;
	event.cookie = cookie;
	event.time = time;
	return event;
}

} // namespace

TEST_CASE("a connection with nothing to tell costs nothing", "[story]") {
	History history;
	for (const EventKind kind :
	     {EventKind::open, EventKind::inventory, EventKind::owner, EventKind::released}) {
		history.note(event_of(kind, 7));
	}
	Event destroyed = event_of(EventKind::end, 7);
	destroyed.destroyed = true;
	history.note(destroyed);
	CHECK(history.size() == 0);
	CHECK(history.find(7) == nullptr);
}

TEST_CASE("events are kept in their order, with what a story needs", "[story]") {
	History history;
	SocketModel socket;
	history.note(socket.open(start));
	socket.turn(start, 100, 500);
	history.note(socket.peer_fin(start + seconds(2)));
	history.note(socket.eof_read(start + seconds(3)));
	history.note(socket.late_write(start + seconds(4), 163));
	const ConnectionHistory* kept = history.find(7);
	REQUIRE(kept != nullptr);
	REQUIRE(kept->events.size() == 2);
	CHECK(kept->events[0].kind == EventKind::peer_fin);
	CHECK(kept->events[0].time == start + seconds(2));
	CHECK(kept->events[0].unread == 0); // the FIN is not counted
	CHECK(kept->events[1].kind == EventKind::eof_read);
	REQUIRE(kept->write.has_value());
	CHECK(kept->write->bytes == 163);
	CHECK(kept->write->time == start + seconds(4));
	CHECK(kept->write->writer.value().command == "client");
}

TEST_CASE("several of a kind in a row are one entry", "[story]") {
	History history;
	for (int i = 0; i < 5; i++) {
		history.note(event_of(EventKind::keepalive_probe, 7, start + seconds(i)));
	}
	history.note(event_of(EventKind::retransmit, 7, start + seconds(5)));
	history.note(event_of(EventKind::keepalive_probe, 7, start + seconds(6)));
	const ConnectionHistory* kept = history.find(7);
	REQUIRE(kept != nullptr);
	REQUIRE(kept->events.size() == 3);
	CHECK(kept->events[0].count == 5);
	CHECK(kept->events[0].time == start);
	CHECK(kept->events[0].last == start + seconds(4));
	CHECK(kept->events[2].count == 1);
	CHECK(kept->left_out == 0);
}

TEST_CASE("of one connection the beginning and the end are kept", "[story]") {
	History history;
	constexpr int count = 100;
	for (int i = 0; i < count; i++) { // no two alike in a row
		history.note(event_of(i % 2 == 0 ? EventKind::retransmit : EventKind::keepalive_probe, 7,
		                      start + seconds(i)));
	}
	const ConnectionHistory* kept = history.find(7);
	REQUIRE(kept != nullptr);
	REQUIRE(kept->events.size() == History::most_events);
	CHECK(kept->left_out == count - History::most_events);
	const std::size_t half = History::most_events / 2;
	CHECK(kept->events.front().time == start);
	CHECK(kept->events[half - 1].time == start + seconds(static_cast<int>(half) - 1));
	CHECK(kept->events[half].time == start + seconds(count - static_cast<int>(half)));
	CHECK(kept->events.back().time == start + seconds(count - 1));
}

TEST_CASE("a full history forgets the connection that entered first, and counts it", "[story]") {
	History history(2);
	history.note(event_of(EventKind::peer_fin, 1));
	history.note(event_of(EventKind::peer_fin, 2));
	history.note(event_of(EventKind::close, 1));
	history.note(event_of(EventKind::released, 2));
	CHECK(history.evicted() == 0);
	CHECK(history.find(2)->events.size() == 2);
	history.note(event_of(EventKind::peer_fin, 3));
	CHECK(history.size() == 2);
	CHECK(history.evicted() == 1);
	CHECK(history.find(1) == nullptr);
	CHECK(history.find(2) != nullptr);
	CHECK(history.find(3) != nullptr);
}

} // namespace stalesock::test
