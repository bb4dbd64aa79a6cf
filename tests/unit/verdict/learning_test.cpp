// SPDX-License-Identifier: Apache-2.0
// The engine learns: from closes to what later verdicts say of the server.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"

#include <optional>
#include <string>
#include <vector>

namespace stalesock::test {

namespace {

using matchers::Contains;

constexpr Nanoseconds start = seconds(1000);

/// One client after the other.
class Host {
  public:
	explicit Host(std::size_t max_peers = 100) : engine_({100, tick, max_peers}) {}

	/// A connection that is used once; the socket as the server's FIN leaves it.
	SocketModel closed_after(Nanoseconds idle, std::uint16_t port = 8080,
	                         Role role = Role::active) {
		SocketModel socket(role, ++cookie_);
		apply(socket.open(now_), port);
		socket.turn(now_, 100, 500);
		now_ += idle;
		apply(socket.peer_fin(now_), port);
		return socket;
	}

	/// The same, and a client that notices.
	void idle_close(Nanoseconds idle, std::uint16_t port = 8080) {
		SocketModel socket = closed_after(idle, port);
		apply(socket.close(now_ += milliseconds(1)), port);
	}

	/// The same, and a client that does not.
	const Verdict& stale_reuse(Nanoseconds idle, std::uint16_t port = 8080) {
		SocketModel socket = closed_after(idle, port);
		apply(socket.late_write(now_ += milliseconds(500), 60), port);
		apply(socket.reset(now_), port);
		REQUIRE(verdicts.back().kind == VerdictKind::stale_reuse);
		return verdicts.back();
	}

	void apply(Event event, std::uint16_t port = 8080) {
		event.remote.port = port;
		engine_.apply(event, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}

	[[nodiscard]] const Engine& engine() const { return engine_; }
	[[nodiscard]] Nanoseconds now() const { return now_; }

	std::vector<Verdict> verdicts;

  private:
	Engine engine_;
	Nanoseconds now_ = start;
	std::uint64_t cookie_ = 0;
};

} // namespace

TEST_CASE("from the third idle close on, verdicts name the timeout; that close is included") {
	Host host;
	host.idle_close(milliseconds(2001));
	host.idle_close(milliseconds(2003));
	CHECK_FALSE(host.verdicts[0].peer);
	CHECK_FALSE(host.verdicts[1].peer);
	host.idle_close(milliseconds(2000));
	const auto& peer = host.verdicts[2].peer;
	REQUIRE(peer);
	CHECK(peer->idle_timeout == seconds(2));
	CHECK(peer->spread == milliseconds(3));
	CHECK(peer->observations == 3);
}

TEST_CASE("a stale reuse says how long that server keeps idle connections, and what to set") {
	Host host;
	for (int i = 0; i < 4; i++) {
		host.idle_close(milliseconds(5001));
	}
	host.idle_close(milliseconds(1700)); // the server was under pressure
	const Verdict& verdict = host.stale_reuse(milliseconds(5001));
	REQUIRE(verdict.peer);
	CHECK(verdict.peer->observations == 5);
	CHECK(verdict.peer->remembered == 6);
	CHECK_THAT(verdict.message,
	           Contains("; that server closes connections idle for 5.00 s (5 of 6 seen)"));
	CHECK_THAT(verdict.advice, Contains("keep pooled connections for less than 4.0 s"));
}

TEST_CASE("on two closes no verdict has a number") {
	Host host;
	host.idle_close(seconds(5));
	const Verdict& verdict = host.stale_reuse(seconds(5));
	CHECK_FALSE(verdict.peer);
	CHECK_THAT(verdict.message, !Contains("that server"));
	CHECK(verdict.advice.find_first_of("0123456789") == std::string::npos);
}

TEST_CASE("two servers behind one address: the message has both, the advice follows the lower") {
	Host host;
	for (int i = 0; i < 5; i++) {
		host.idle_close(seconds(5));
		host.idle_close(seconds(1));
	}
	const Verdict& verdict = host.stale_reuse(seconds(5));
	REQUIRE(verdict.peer);
	CHECK(verdict.peer->idle_timeout == seconds(1));
	CHECK(verdict.peer->spread == seconds(4));
	CHECK_THAT(verdict.message, Contains("after between 1.00 s and 5.00 s (11 of 11 seen)"));
	CHECK_THAT(verdict.advice, Contains("for less than 500 ms"));
}

TEST_CASE("one server's timeout is not told of another") {
	Host host;
	for (int i = 0; i < 3; i++) {
		host.idle_close(seconds(2), 8080);
	}
	CHECK_FALSE(host.stale_reuse(seconds(2), 8081).peer);
	CHECK(host.stale_reuse(seconds(2), 8080).peer);
	CHECK(host.engine().counters().peers == 2);
}

TEST_CASE("clients of this host teach nothing") {
	Host host;
	for (int i = 0; i < 5; i++) {
		SocketModel socket = host.closed_after(seconds(2), 8080, Role::passive);
		host.apply(socket.late_write(host.now() + milliseconds(1), 60));
		host.apply(socket.reset(host.now() + milliseconds(2)));
	}
	REQUIRE(host.verdicts.size() == 5);
	CHECK(host.verdicts.back().kind == VerdictKind::abandoned_response);
	CHECK_FALSE(host.verdicts.back().peer);
	CHECK(host.engine().counters().peers == 0);
}

TEST_CASE("a verdict that comes later on a connection knows of its close once") {
	Host host;
	host.idle_close(seconds(2));
	host.idle_close(seconds(2));
	const Verdict& verdict = host.stale_reuse(seconds(2));
	REQUIRE(verdict.peer);
	CHECK(verdict.peer->observations == 3);
	const Peer* const peer =
		host.engine().peers().find(verdict.connection.remote, verdict.connection.netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->count(VerdictKind::idle_close) == 3);
}

TEST_CASE("limit closes teach a lifetime") {
	Host host;
	for (std::uint64_t i = 1; i <= 3; i++) {
		SocketModel socket(Role::active, 1000 + i);
		socket.observe();
		const Nanoseconds opened = start + seconds(static_cast<std::int64_t>(i));
		host.apply(socket.open(opened));
		for (std::uint64_t turn = 1; turn <= i; turn++) {
			socket.turn(opened + seconds(60) - milliseconds(100 * (i - turn)), 100, 500);
		}
		host.apply(socket.peer_fin(opened + seconds(60) + milliseconds(1)));
	}
	REQUIRE(host.verdicts.size() == 3);
	CHECK(host.verdicts[2].kind == VerdictKind::limit_close);
	CHECK_FALSE(host.verdicts[2].peer);
	const ConnectionFacts& connection = host.verdicts[2].connection;
	const Peer* const peer = host.engine().peers().find(connection.remote, connection.netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->count(VerdictKind::limit_close) == 3);
	REQUIRE(peer->lifetime);
	CHECK(peer->lifetime->lowest == milliseconds(60001));
}

TEST_CASE("an answer after a longer silence disproves the timeout, at once") {
	Host host;
	for (int i = 0; i < 3; i++) {
		host.idle_close(seconds(1));
	}
	const ConnectionFacts connection = host.verdicts.back().connection;
	const auto believes = [&] {
		return host.engine()
		    .peers()
		    .find(connection.remote, connection.netns)
		    ->idle_timeout.has_value();
	};
	REQUIRE(believes());
	SocketModel socket(Role::active, 5000);
	const Nanoseconds begin = host.now() + seconds(1);
	const Nanoseconds gap = GENERATE(milliseconds(900), milliseconds(3000));
	const bool answered = GENERATE(true, false);
	host.apply(socket.open(begin));
	socket.turn(begin, 100, 500);
	host.apply(socket.reuse(begin + gap));
	socket.send(begin + gap, 100);
	if (answered) {
		socket.acked(begin + gap + milliseconds(1));
		socket.receive(begin + gap + milliseconds(1), 500);
		socket.read_all();
	}
	REQUIRE(believes());
	host.apply(answered ? socket.close(begin + gap + milliseconds(2))
	                    : socket.reset(begin + gap + milliseconds(2)));
	CHECK(believes() == (gap < seconds(1) || !answered));
}

TEST_CASE("the engine bounds the table of peers and counts what it evicts") {
	Host host(2);
	host.idle_close(seconds(2), 1);
	host.idle_close(seconds(2), 2);
	CHECK(host.engine().counters().peers == 2);
	CHECK(host.engine().counters().peers_evicted == 0);
	host.idle_close(seconds(2), 3);
	CHECK(host.engine().counters().peers == 2);
	CHECK(host.engine().counters().peers_evicted == 1);
	CHECK(EngineOptions{}.max_peers == 16'384);
}

} // namespace stalesock::test
