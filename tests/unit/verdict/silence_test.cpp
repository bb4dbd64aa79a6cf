// SPDX-License-Identifier: Apache-2.0
// Nobody closed: each rule on both sides of its threshold, and what the engine adds.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"
#include "verdict/message.hpp"

#include <string>
#include <vector>

namespace stalesock::test {

namespace {

using matchers::Contains;
using Names = std::vector<std::string>;

constexpr Nanoseconds start = seconds(1000);
constexpr Nanoseconds minute = seconds(60);

EngineOptions options_with(std::size_t max_connections) {
	EngineOptions options;
	options.max_connections = max_connections;
	options.tick = tick;
	return options;
}

class Host {
  public:
	explicit Host(std::size_t max_connections = 100) : engine_(options_with(max_connections)) {}

	void apply(const Event& event) {
		engine_.apply(event, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}

	/// A scan finds the socket, and is over.
	void scan(SocketModel& socket, Nanoseconds now) {
		apply(socket.full(EventKind::scan, now));
		until(now + milliseconds(300));
	}
	void until(Nanoseconds now) {
		engine_.on_tick(now, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}
	[[nodiscard]] Engine& engine() { return engine_; }

	/// A connection that has been used once, at `now`.
	SocketModel used(Nanoseconds now, Role role = Role::active) {
		SocketModel socket(role, ++cookie_);
		apply(socket.open(now));
		socket.turn(now, 100, 500);
		return socket;
	}

	void idle_close(Nanoseconds now, Nanoseconds idle) {
		SocketModel socket = used(now);
		apply(socket.peer_fin(now + idle));
		apply(socket.close(now + idle));
	}

	/// Three closes that agree.
	void teach(Nanoseconds now, Nanoseconds timeout) {
		for (int i = 0; i < 3; i++) {
			idle_close(now + seconds(i), timeout);
		}
		verdicts.clear();
	}

	[[nodiscard]] Names kinds() const {
		Names names;
		for (const Verdict& verdict : verdicts) {
			names.emplace_back(to_string(verdict.kind));
		}
		return names;
	}

	std::vector<Verdict> verdicts;

  private:
	Engine engine_;
	std::uint64_t cookie_ = 0;
};

Event by_actor(Event event) {
	event.actor = Actor{812, "client"};
	return event;
}

Event with_keepalive(Event event, Nanoseconds idle) {
	event.keepalive = true;
	if (event.view) {
		event.view->keepalive_time_ticks = static_cast<std::uint32_t>(idle / tick);
	}
	return event;
}

Event timed_out(SocketModel& socket, Nanoseconds now, int error = ETIMEDOUT) {
	Event event = socket.full(EventKind::end, now);
	event.old_state = TcpState::established;
	event.new_state = TcpState::close;
	event.error = error;
	return event;
}

} // namespace

TEST_CASE("close_wait_leak: a minute after the FIN, once") {
	Host host;
	SocketModel socket = host.used(start);
	const Nanoseconds fin = start + seconds(5);
	host.apply(socket.peer_fin(fin));
	host.verdicts.clear();
	host.scan(socket, fin + minute - milliseconds(1));
	CHECK(host.kinds() == Names{});
	host.scan(socket, fin + minute);
	host.scan(socket, fin + minute + seconds(10));
	REQUIRE(host.kinds() == Names{"close_wait_leak"});
	const Verdict& verdict = host.verdicts[0];
	CHECK(verdict.confidence == Confidence::certain);
	CHECK(verdict.evidence.close_wait == minute);
	CHECK(verdict.evidence.eof_read == false);
	CHECK(verdict.evidence.leaked == 1U);
	CHECK_FALSE(verdict.evidence.leaking);
}

TEST_CASE("close_wait_leak: whether EOF was read is told only where it is known") {
	Host host;
	SocketModel socket = host.used(start);
	SECTION("nothing lay before the FIN, and it has been read") {
		host.apply(socket.peer_fin(start + seconds(1)));
		socket.read_all();
		host.scan(socket, start + seconds(70));
		CHECK(host.verdicts.back().evidence.eof_read == true);
	}
	SECTION("bytes lay before it: they take the FIN along") {
		socket.receive(start + milliseconds(900), 40);
		host.apply(socket.peer_fin(start + seconds(1)));
		socket.read_all();
		host.scan(socket, start + seconds(70));
		CHECK_FALSE(host.verdicts.back().evidence.eof_read);
	}
}

TEST_CASE("close_wait_leak: leaks of one process and peer are counted while they last") {
	Host host;
	std::vector<SocketModel> sockets;
	for (int i = 0; i < 3; i++) {
		sockets.push_back(host.used(start));
		host.apply(sockets.back().peer_fin(start + seconds(1)));
	}
	host.verdicts.clear();
	host.scan(sockets[0], start + seconds(70));
	host.scan(sockets[1], start + seconds(80));
	REQUIRE(host.verdicts.size() == 2);
	CHECK(host.verdicts[1].evidence.leaked == 2U);
	CHECK(host.verdicts[1].evidence.leaking == seconds(10));
	host.apply(sockets[0].close(start + seconds(81)));
	host.scan(sockets[2], start + seconds(90));
	REQUIRE(host.verdicts.size() == 3);
	CHECK(host.verdicts[2].evidence.leaked == 2U);
}

TEST_CASE("close_wait_leak: who holds the descriptor now, not who connected") {
	Host host;
	SocketModel socket = host.used(start);
	host.apply(socket.peer_fin(start + seconds(1)));
	host.verdicts.clear();
	CHECK_FALSE(host.engine().take_wish_for_holders());
	host.apply(socket.full(EventKind::scan, start + seconds(70)));
	REQUIRE(host.engine().take_wish_for_holders());
	CHECK_FALSE(host.engine().take_wish_for_holders());
	const bool held = GENERATE(true, false);
	if (held) {
		host.apply(socket.owner(start + seconds(70), 901, "sleep"));
	}
	host.engine().note_holders_seen(start + seconds(70));
	host.until(start + seconds(71));
	REQUIRE(host.kinds() == Names{"close_wait_leak"});
	const Owner& owner = host.verdicts[0].owner;
	CHECK(owner.pid.value_or(0) ==
	      (held ? 901 : 0)); // the one who connected (812) has no descriptor any more
	CHECK(owner.source == (held ? OwnerSource::scan : OwnerSource::unknown));
}

TEST_CASE("close_wait_leak: a connection that was evicted leaks no more") {
	Host host(1);
	SocketModel first = host.used(start);
	host.apply(first.peer_fin(start + seconds(1)));
	host.scan(first, start + seconds(70));
	SocketModel second = host.used(start + seconds(71));
	host.apply(second.peer_fin(start + seconds(72)));
	host.scan(second, start + seconds(140));
	CHECK(host.verdicts.back().kind == VerdictKind::close_wait_leak);
	CHECK(host.verdicts.back().evidence.leaked == 1U);
}

TEST_CASE("dirty_idle: unread bytes on a connection that has been silent for ten seconds") {
	Host host;
	SocketModel socket = host.used(start);
	SECTION("long enough") {
		socket.receive(start + seconds(1), 40);
		host.apply(socket.full(EventKind::scan, start + seconds(11)));
		host.apply(socket.full(EventKind::scan, start + seconds(21)));
		REQUIRE(host.kinds() == Names{"dirty_idle"});
		CHECK(host.verdicts[0].evidence.unread_bytes == 40U);
		CHECK(host.verdicts[0].confidence == Confidence::certain);
	}
	SECTION("not yet") {
		socket.receive(start + seconds(1), 40);
		host.apply(socket.full(EventKind::scan, start + seconds(11) - 2 * tick));
		CHECK(host.kinds() == Names{});
	}
	SECTION("so much that the application may only be slow") {
		socket.receive(start + seconds(1), 20'000);
		host.apply(socket.full(EventKind::scan, start + seconds(11)));
		REQUIRE(host.kinds() == Names{"dirty_idle"});
		CHECK(host.verdicts[0].confidence == Confidence::likely);
	}
	SECTION("a server's unread bytes are a request that waits") {
		SocketModel server = host.used(start, Role::passive);
		server.receive(start + seconds(1), 40);
		host.apply(server.full(EventKind::scan, start + seconds(11)));
		CHECK(host.kinds() == Names{});
	}
}

TEST_CASE("silent_drop: a write after a silence that nobody acknowledges for a second") {
	Host host;
	SocketModel socket = host.used(start);
	const auto retransmitted = [&](Nanoseconds written, Nanoseconds now) {
		socket.send(written, 60);
		socket.view().retransmits = 3;
		host.apply(socket.full(EventKind::retransmit, now));
	};
	SECTION("seen") {
		retransmitted(start + seconds(400), start + seconds(401) + milliseconds(400));
		host.apply(socket.full(EventKind::retransmit, start + seconds(403)));
		REQUIRE(host.kinds() == Names{"silent_drop"});
		const Verdict& verdict = host.verdicts[0];
		CHECK(verdict.confidence == Confidence::likely);
		CHECK(verdict.evidence.idle == milliseconds(1400));
		CHECK(verdict.evidence.gap >= seconds(399));
		CHECK_THAT(verdict.message, Contains("350 s is the limit of AWS"));
		CHECK_THAT(verdict.advice, Contains("TCP_KEEPIDLE well below 350 s"));
	}
	SECTION("it may still be answered") {
		retransmitted(start + seconds(400), start + seconds(400) + milliseconds(600));
		CHECK(host.kinds() == Names{});
	}
	SECTION("in the middle of a conversation") {
		retransmitted(start + milliseconds(800), start + seconds(3));
		CHECK(host.kinds() == Names{});
	}
	SECTION("what is reset then has been told") {
		retransmitted(start + seconds(400), start + seconds(402));
		Event reset = socket.reset(start + seconds(403));
		reset.bare_rst = true;
		host.apply(reset);
		CHECK(host.kinds() == Names{"silent_drop"});
	}
	SECTION("what times out then has been told") {
		retransmitted(start + seconds(400), start + seconds(402));
		host.apply(timed_out(socket, start + seconds(1300)));
		CHECK(host.kinds() == Names{"silent_drop"});
	}
	SECTION("no retransmission was reported, but the timeout") {
		socket.send(start + seconds(400), 60);
		socket.retransmit(start + seconds(401));
		host.apply(timed_out(socket, start + seconds(405)));
		CHECK(host.kinds() == Names{"silent_drop"});
	}
	SECTION("it was sent again for less than a second before the application's patience ended") {
		socket.send(start + seconds(400), 60);
		socket.retransmit(start + seconds(401) - milliseconds(1));
		host.apply(timed_out(socket, start + seconds(405)));
		CHECK(host.kinds() == Names{"peer_unresponsive"});
	}
}

TEST_CASE(
	"silent_drop: the handshake is the last that was heard, and the listener's side speaks first") {
	Host host;
	SocketModel socket(Role::passive, 1);
	host.apply(socket.open(start));
	const auto speak = [&](Nanoseconds written) {
		socket.send(written, 60);
		socket.view().delivered_tx_us = 0; // of its SYN and ACK no time is kept
		socket.view().retransmits = 1;
		host.apply(socket.full(EventKind::retransmit, written + milliseconds(1400)));
		return host.kinds();
	};
	SECTION("after a silence") {
		REQUIRE(speak(start + seconds(400)) == Names{"silent_drop"});
		CHECK(host.verdicts[0].evidence.gap >= seconds(399));
	}
	SECTION("at once") {
		CHECK(speak(start + milliseconds(20)) == Names{});
	}
}

TEST_CASE("silent_drop: an RST from somebody who does not know the connection") {
	Host host;
	SocketModel socket = host.used(start);
	socket.send(start + seconds(30), 60);
	Event reset = socket.reset(start + seconds(30) + milliseconds(20));
	SECTION("it has no timestamps") {
		reset.bare_rst = true;
		host.apply(reset);
		REQUIRE(host.kinds() == Names{"silent_drop"});
		CHECK(host.verdicts[0].evidence.rst_received == true);
		CHECK(host.verdicts[0].confidence == Confidence::likely);
	}
	SECTION("it has: the peer's socket was there, and closed") {
		host.apply(reset);
		CHECK(host.kinds() == Names{"reuse_race"});
	}
}

TEST_CASE("peer_unresponsive says which timer ended the connection") {
	Host host;
	SocketModel socket = host.used(start);
	const auto timeout = [&](int error = ETIMEDOUT) {
		host.apply(timed_out(socket, start + seconds(30), error));
		REQUIRE(host.kinds() == Names{"peer_unresponsive"});
		return *host.verdicts[0].evidence.timeout;
	};
	SECTION("nothing outstanding") {
		CHECK(timeout() == "keepalive");
	}
	SECTION("outstanding") {
		socket.send(start + milliseconds(10), 60);
		CHECK(timeout() == "retransmission");
	}
	SECTION("outstanding, and only the window is probed") {
		socket.send(start + milliseconds(10), 60);
		socket.view().probes_out = 5;
		CHECK(timeout() == "zero_window");
	}
	SECTION("the application's own patience") {
		socket.send(start + milliseconds(10), 60);
		socket.view().user_timeout_ms = 5000;
		CHECK(timeout() == "user_timeout");
	}
	SECTION("with the ICMP error in its place") {
		CHECK(timeout(EHOSTUNREACH) == "keepalive");
	}
}

TEST_CASE("other errors are no timeout") {
	Host host;
	SocketModel socket = host.used(start);
	host.apply(timed_out(socket, start + seconds(30), ECONNABORTED)); // ss -K
	CHECK(host.kinds() == Names{});
}

TEST_CASE("early_idle_close: before half of the time that others lasted") {
	Host host;
	host.teach(start, seconds(10));
	SECTION("earlier than half") {
		host.idle_close(start + minute, seconds(5) - milliseconds(1));
		REQUIRE(host.kinds() == Names{"early_idle_close"});
		CHECK(host.verdicts[0].peer->idle_timeout == seconds(10));
		CHECK_THAT(host.verdicts[0].message,
		           Contains("far sooner than usual (10.00 s, 3 of 3 seen)"));
	}
	SECTION("half") {
		host.idle_close(start + minute, seconds(5) + milliseconds(1));
		CHECK(host.kinds() == Names{"idle_close"});
	}
	SECTION("a server that closes sooner from now on is believed") {
		for (int i = 0; i < 5; i++) {
			host.idle_close(start + minute + seconds(i), seconds(2));
		}
		CHECK(host.kinds().front() == "early_idle_close");
		CHECK(host.kinds().back() == "idle_close");
		CHECK(host.verdicts.back().peer->idle_timeout == seconds(2));
	}
}

TEST_CASE("keepalive_ineffective: probes were answered, and the server closed") {
	Host host;
	SocketModel socket = host.used(start);
	const auto probe = [&](Nanoseconds now, bool unanswered) {
		Event event = with_keepalive(socket.full(EventKind::keepalive_probe, now), seconds(1));
		event.view.reset();
		event.unanswered = unanswered;
		host.apply(event);
	};
	SECTION("the first was answered before the second") {
		probe(start + seconds(1), false);
		probe(start + seconds(2), false);
		host.apply(with_keepalive(socket.peer_fin(start + seconds(3)), seconds(1)));
		REQUIRE(host.kinds() == Names{"idle_close", "keepalive_ineffective"});
		CHECK(host.verdicts[1].confidence == Confidence::certain);
		CHECK(host.verdicts[1].evidence.keepalive_idle == seconds(1));
	}
	SECTION("of a single one that is inferred") {
		probe(start + seconds(1), false);
		host.apply(with_keepalive(socket.peer_fin(start + seconds(2)), seconds(1)));
		REQUIRE(host.kinds() == Names{"idle_close", "keepalive_ineffective"});
		CHECK(host.verdicts[1].confidence == Confidence::likely);
	}
	SECTION("without a probe there is nothing to say") {
		host.apply(with_keepalive(socket.peer_fin(start + seconds(2)), seconds(1)));
		CHECK(host.kinds() == Names{"idle_close"});
	}
}

TEST_CASE("keepalive_ineffective is told once an hour of each program and server") {
	Host host;
	const auto close_after_probe = [&](Nanoseconds now) {
		SocketModel socket = host.used(now);
		Event event = with_keepalive(socket.full(EventKind::keepalive_probe, now + seconds(1)), {});
		event.view.reset();
		host.apply(event);
		host.apply(with_keepalive(socket.peer_fin(now + seconds(2)), seconds(1)));
		host.apply(socket.close(now + seconds(2)));
	};
	close_after_probe(start);
	close_after_probe(start + seconds(3590));
	CHECK(host.kinds() == Names{"idle_close", "keepalive_ineffective", "idle_close"});
	close_after_probe(start + seconds(3600));
	CHECK(host.kinds().back() == "keepalive_ineffective");
}

TEST_CASE("pool_mismatch: a reuse at 0.8 of the server's timeout or later") {
	Host host;
	host.teach(start, seconds(10));
	SocketModel socket = host.used(start + minute);
	SECTION("late enough") {
		host.apply(by_actor(socket.full(EventKind::reuse, start + minute + seconds(8) + tick)));
		REQUIRE(host.kinds() == Names{"pool_mismatch"});
		CHECK(host.verdicts[0].evidence.near_misses == 1U);
		CHECK_THAT(host.verdicts[0].advice, Contains("8.0 s"));
		socket.turn(start + minute + seconds(8), 100, 500);
		host.apply(by_actor(socket.full(EventKind::reuse, start + minute + seconds(17))));
		CHECK(host.kinds() == Names{"pool_mismatch"}); // it has been said
	}
	SECTION("soon enough") {
		host.apply(by_actor(socket.full(EventKind::reuse, start + minute + seconds(8) - 2 * tick)));
		CHECK(host.kinds() == Names{});
	}
}

TEST_CASE("pool_mismatch needs a learned timeout") {
	Host host;
	host.idle_close(start, seconds(10));
	host.idle_close(start + seconds(1), seconds(10));
	host.verdicts.clear();
	SocketModel socket = host.used(start + minute);
	host.apply(by_actor(socket.full(EventKind::reuse, start + minute + seconds(9))));
	CHECK(host.kinds() == Names{});
}

TEST_CASE("keepalive_late: it begins after the path has forgotten the connection") {
	Host host;
	for (int i = 0; i < 3; i++) {
		const Nanoseconds now = start + i * seconds(1000);
		SocketModel socket = host.used(now);
		socket.send(now + seconds(400), 60);
		socket.view().retransmits = 3;
		host.apply(socket.full(EventKind::retransmit, now + seconds(402)));
	}
	REQUIRE(host.kinds() == Names{"silent_drop", "silent_drop", "silent_drop"});
	host.verdicts.clear();
	SocketModel socket = host.used(start + seconds(4000));
	SECTION("too late") {
		host.apply(
			with_keepalive(socket.full(EventKind::reuse, start + seconds(4001)), seconds(7200)));
		REQUIRE(host.kinds() == Names{"keepalive_late"});
		CHECK(host.verdicts[0].evidence.keepalive_idle == seconds(7200));
		CHECK_THAT(host.verdicts[0].advice, Contains("set TCP_KEEPIDLE well below 350 s"));
	}
	SECTION("in time") {
		host.apply(
			with_keepalive(socket.full(EventKind::reuse, start + seconds(4001)), seconds(300)));
		CHECK(host.kinds() == Names{});
	}
	SECTION("off") {
		host.apply(socket.full(EventKind::reuse, start + seconds(4001)));
		CHECK(host.kinds() == Names{});
	}
}

} // namespace stalesock::test
