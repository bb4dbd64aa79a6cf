// SPDX-License-Identifier: Apache-2.0
// Both ends of a connection on one host: each verdict says whose the other one is.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"

#include <utility>
#include <vector>

namespace stalesock::test {

namespace {

using matchers::Contains;

constexpr Nanoseconds start = seconds(1000);
constexpr Nanoseconds idle = seconds(2);

/// The server's socket sees everything the other way round.
Event mirrored(Event event) {
	std::swap(event.local, event.remote);
	if (event.actor) {
		event.actor = Actor{90, "server"};
	}
	return event;
}

/// A connection of a client to a server on the same host, used once.
class TwoEnds {
  public:
	TwoEnds() {
		apply(client.open(start));
		apply(mirrored(server.open(start + microseconds(10))));
		client.turn(start, 100, 500);
		server.receive(start, 100);
		server.read_all();
		server.send(start, 500);
		server.acked(start + microseconds(20));
	}

	void apply(const Event& event) {
		engine_.apply(event, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}

	/// As close(), or shutdown(SHUT_WR).
	void server_closes(Nanoseconds now, std::uint8_t shutdown = 3) {
		Event close = mirrored(server.close(now));
		close.shutdown = shutdown;
		apply(close);
		apply(client.peer_fin(now + microseconds(20)));
	}

	void client_writes_late(Nanoseconds now) {
		apply(client.late_write(now, 120));
		apply(client.reset(now + microseconds(50)));
	}

	const OtherEnd& other_end() {
		REQUIRE(verdicts.back().other_end);
		return *verdicts.back().other_end;
	}

	SocketModel client{Role::active, 7};
	SocketModel server{Role::passive, 8};
	std::vector<Verdict> verdicts;

  private:
	Engine engine_{{}};
};

} // namespace

TEST_CASE("a late write names who closed the other end, and when", "[pairs]") {
	TwoEnds ends;
	ends.server_closes(start + idle);
	ends.client_writes_late(start + idle + milliseconds(500));
	REQUIRE(ends.verdicts.size() == 2);
	CHECK(ends.verdicts.back().kind == VerdictKind::stale_reuse);
	const OtherEnd& other = ends.other_end();
	CHECK(other.cookie == 8);
	CHECK(other.owner.pid == 90);
	CHECK(other.owner.command == "server");
	CHECK(other.owner.source == OwnerSource::close);
	CHECK(other.fin_age == milliseconds(500));
	CHECK(other.close_age == milliseconds(500));
	CHECK_THAT(ends.verdicts.back().message,
	           Contains("the other end is on this host: server (pid 90) had closed 500 ms before"));
}

TEST_CASE("a server that ends its sending first and closes later is told so", "[pairs]") {
	TwoEnds ends;
	ends.server_closes(start + idle, 2);
	SECTION("it has not closed yet") {
		ends.client_writes_late(start + idle + milliseconds(500));
		CHECK(ends.other_end().fin_age == milliseconds(500));
		CHECK_FALSE(ends.other_end().close_age);
		CHECK_THAT(ends.verdicts.back().message, Contains("had ended its sending 500 ms before"));
	}
	SECTION("it has") {
		ends.apply(mirrored(ends.server.destroyed(start + idle + milliseconds(400))));
		ends.client_writes_late(start + idle + milliseconds(500));
		CHECK(ends.other_end().fin_age == milliseconds(500));
		CHECK(ends.other_end().close_age == milliseconds(100));
	}
	SECTION("it closes only after the late write, before that is reported") {
		ends.apply(ends.client.late_write(start + idle + milliseconds(500), 120));
		ends.apply(mirrored(ends.server.destroyed(start + idle + milliseconds(600))));
		ends.apply(ends.client.reset(start + idle + milliseconds(601)));
		CHECK(ends.other_end().fin_age == milliseconds(500));
		CHECK_FALSE(ends.other_end().close_age);
	}
}

TEST_CASE("an end that is still open is named too", "[pairs]") {
	TwoEnds ends;
	Event owner = mirrored(ends.server.owner(start + seconds(1), 91, "worker"));
	owner.actor = Actor{91, "worker"};
	ends.apply(owner);
	ends.client.receive(start + seconds(1), 10);
	ends.apply(ends.client.abort(start + seconds(2)));
	REQUIRE(ends.verdicts.size() == 1);
	CHECK(ends.verdicts.back().kind == VerdictKind::dirty_close);
	CHECK(ends.other_end().owner.pid == 91);
	CHECK_FALSE(ends.other_end().fin_age);
	CHECK_THAT(ends.verdicts.back().message, Contains("worker (pid 91) holds it open"));
}

TEST_CASE("a server's answer to a client that has gone names the client", "[pairs]") {
	TwoEnds ends;
	ends.server.receive(start + seconds(1), 100);
	ends.server.read_all();
	ends.apply(ends.client.close(start + seconds(2)));
	ends.apply(mirrored(ends.server.peer_fin(start + seconds(2) + microseconds(20))));
	ends.apply(mirrored(ends.server.late_write(start + seconds(3), 500)));
	ends.apply(mirrored(ends.server.reset(start + seconds(3) + microseconds(50))));
	REQUIRE(ends.verdicts.size() == 1);
	CHECK(ends.verdicts.back().kind == VerdictKind::abandoned_response);
	CHECK(ends.other_end().owner.pid == 812);
	CHECK(ends.other_end().close_age == seconds(1));
}

TEST_CASE("ends of other connections are not taken for one", "[pairs]") {
	TwoEnds ends;
	const auto elsewhere = [](Event event) {
		event.remote.address =
			address_from_ipv4({127, 0, 0, 1}); // loopback, but of another namespace
		event.netns = 5;
		return event;
	};
	SocketModel client(Role::active, 70);
	SocketModel server(Role::passive, 80);
	const auto on_loopback = [](Event event) {
		event.local.address = event.remote.address = address_from_ipv4({127, 0, 0, 1});
		return event;
	};
	ends.apply(on_loopback(client.open(start)));
	ends.apply(mirrored(elsewhere(server.open(start))));
	client.turn(start, 100, 500);
	ends.apply(mirrored(elsewhere(server.close(start + idle))));
	ends.apply(on_loopback(client.peer_fin(start + idle)));
	REQUIRE(ends.verdicts.size() == 1);
	CHECK(ends.verdicts.back().connection.cookie == 70);
	CHECK_FALSE(ends.verdicts.back().other_end);
}

TEST_CASE("one program at both ends is no news", "[pairs]") {
	TwoEnds ends;
	Event close = mirrored(ends.server.close(start + idle));
	close.actor = Actor{812, "client"};
	ends.apply(close);
	ends.apply(ends.client.peer_fin(start + idle + microseconds(20)));
	CHECK(ends.other_end().owner.pid == 812);
	CHECK_THAT(ends.verdicts.back().message, !Contains("other end"));
}

} // namespace stalesock::test
