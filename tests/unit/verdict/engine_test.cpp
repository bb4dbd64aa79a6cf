// SPDX-License-Identifier: Apache-2.0
// Whole stories through the engine: the exact list of verdicts, with time passed in.
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"
#include "verdict/rules.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace stalesock::test {

namespace {

class Story {
  public:
	explicit Story(std::size_t max_connections = 100) : engine_({max_connections, tick}) {}

	void apply(const Event& event) { engine_.apply(event, collect_); }
	/// Hooks see all of it.
	void open(SocketModel& socket, Nanoseconds now) {
		socket.observe();
		apply(socket.open(now));
	}
	void until(Nanoseconds now) { engine_.on_tick(now, collect_); }
	void finish(Nanoseconds now) { engine_.finish(now, collect_); }
	/// Of any peer.
	[[nodiscard]] bool knows_reuse() const {
		const auto peers = engine_.peers().sorted();
		return std::any_of(peers.begin(), peers.end(),
		                   [](const Peer* peer) { return peer->longest_reuse.has_value(); });
	}
	[[nodiscard]] EngineCounters counters() const { return engine_.counters(); }

	[[nodiscard]] std::vector<std::string> kinds() const {
		std::vector<std::string> names;
		for (const Verdict& verdict : verdicts) {
			names.emplace_back(to_string(verdict.kind));
		}
		return names;
	}

	std::vector<Verdict> verdicts;

  private:
	Engine engine_;
	Engine::Handler collect_ = [this](const Verdict& verdict) { verdicts.push_back(verdict); };
};

using Names = std::vector<std::string>;

constexpr Nanoseconds start = seconds(1000);

} // namespace

TEST_CASE("a reused stale connection is an idle close, then a stale reuse") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start + milliseconds(1), 100, 500);
	story.apply(socket.peer_fin(start + milliseconds(2001)));
	REQUIRE(story.kinds() == Names{"idle_close"});
	story.apply(socket.late_write(start + milliseconds(2499), 163));
	story.apply(socket.reset(start + milliseconds(2500)));
	REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});

	const Verdict& verdict = story.verdicts.back();
	CHECK(verdict.confidence == Confidence::certain);
	CHECK(verdict.evidence.fin_to_write == milliseconds(498));
	CHECK(verdict.evidence.idle == milliseconds(2000));
	CHECK(verdict.evidence.bytes_after_fin == 163U);
	CHECK(verdict.evidence.rst_received == true);
	CHECK(verdict.evidence.eof_read == false);
	CHECK(verdict.evidence.unread_bytes == 0U);
	CHECK(verdict.evidence.unacked_at_fin == 0U);
	CHECK(verdict.connection.role == Role::active);
	CHECK(verdict.connection.state == TcpState::close_wait);
	CHECK(verdict.connection.local.port == 41230);
	CHECK(verdict.connection.age == milliseconds(2499));
	CHECK(verdict.owner.source == OwnerSource::write);
	CHECK(verdict.owner.pid == 812);
	CHECK(verdict.id == "7-2");
	CHECK(verdict.message ==
	      "client (pid 812) wrote 163 B to 10.0.0.7:8080 498 ms after the server's FIN, on a "
	      "connection "
	      "that was idle for 2.00 s when the server closed it; the server answered with an RST");
	CHECK_FALSE(verdict.advice.empty());
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("without an RST a stale reuse is reported when it has settled, with all its bytes") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	story.apply(socket.late_write(start + seconds(2), 60));
	story.apply(socket.late_write(start + seconds(2) + milliseconds(1), 40));
	story.apply(socket.read_after_late_write(start + seconds(2) + milliseconds(2)));
	story.until(start + seconds(2) + milliseconds(249));
	REQUIRE(story.kinds() == Names{"idle_close"});
	story.until(start + seconds(2) + milliseconds(250));
	REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(story.verdicts.back().evidence.bytes_after_fin == 100U);
	CHECK(story.verdicts.back().evidence.rst_received == false);

	SECTION("and only once, whatever follows") {
		story.apply(socket.late_write(start + seconds(3), 60));
		story.apply(socket.reset(start + seconds(4)));
		story.finish(start + seconds(9));
		CHECK(story.kinds() == Names{"idle_close", "stale_reuse"});
	}
}

TEST_CASE("a request after frames of HTTP/2 that ask for nothing is a reuse, soon or later") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 5000);
	story.apply(socket.peer_fin(start + milliseconds(2)));
	const Nanoseconds first = start + milliseconds(3);
	story.apply(socket.late_write(first, 13, PayloadHead::http2_control));
	SECTION("none") {
		story.apply(socket.late_write(first + seconds(1), 13, PayloadHead::http2_control));
		story.apply(socket.reset(first + seconds(2)));
		CHECK(story.kinds() == Names{"limit_close", "farewell_write"});
	}
	SECTION("at once") {
		story.apply(socket.late_write(first + milliseconds(1), 60));
		story.apply(socket.read_after_late_write(first + milliseconds(2)));
		story.finish(start + seconds(9));
		CHECK(story.kinds() == Names{"limit_close", "stale_reuse"});
		CHECK(story.verdicts.back().evidence.fin_to_write == milliseconds(2));
		CHECK(story.verdicts.back().evidence.bytes_after_fin == 73U);
	}
	SECTION("after the verdict on them") {
		story.until(first + seconds(2));
		CHECK(story.kinds() == Names{"limit_close", "farewell_write"});
		story.apply(socket.late_write(first + seconds(2), 60));
		story.apply(socket.late_write(first + seconds(2) + milliseconds(1), 60));
		story.apply(socket.reset(first + seconds(2) + milliseconds(2)));
		CHECK(story.kinds() == Names{"limit_close", "farewell_write", "stale_reuse"});
		CHECK(story.verdicts.back().evidence.fin_to_write == seconds(2) + milliseconds(1));
	}
}

TEST_CASE("a client that reads the end of file and closes has nothing to answer for") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	story.apply(socket.eof_read(start + seconds(1)));
	story.apply(socket.close(start + seconds(1) + milliseconds(1)));
	story.finish(start + seconds(5));
	CHECK(story.kinds() == Names{"idle_close"});
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("what the application knew before its late write is evidence") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	const bool peek = GENERATE(false, true);
	story.apply(socket.eof_read(start + milliseconds(1500), peek));
	story.apply(socket.late_write(start + seconds(2), 60));
	story.apply(socket.read_after_late_write(start + seconds(2)));
	story.finish(start + seconds(3));
	REQUIRE(story.verdicts.size() == 2);
	CHECK(story.verdicts[1].evidence.eof_read == !peek);
	CHECK(story.verdicts[1].evidence.peeked == peek);
}

TEST_CASE("a write as long as a close_notify that crosses the peer's end is a farewell unless it "
          "was seen") {
	const std::uint32_t bytes = GENERATE(24U, 31U);
	const bool seen = GENERATE(true, false);
	const bool reset = GENERATE(true, false);
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start + milliseconds(10), 64, 200);
	const Nanoseconds end = start + seconds(2);
	socket.receive(end, 24); // the peer's close_notify
	socket.read_all();
	socket.send(end + microseconds(40), bytes);
	socket.view().sends_seen = seen;
	const Nanoseconds later = end + microseconds(80);
	story.apply(reset ? socket.reset(later) : socket.peer_fin(later));
	CHECK(story.kinds() == Names{seen ? "reuse_race" : "farewell_write"});
	const bool certain = seen && !reset; // what the peer's application had read is not known
	CHECK(story.verdicts.back().confidence == (certain ? Confidence::certain : Confidence::likely));
}

TEST_CASE("a farewell that crosses the peer's end is no race") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start + milliseconds(10), 64, 200);
	const Nanoseconds end = start + seconds(2);
	socket.receive(end, 24); // the peer's close_notify
	socket.read_all();
	const bool farewell = GENERATE(true, false);
	story.apply(socket.reuse(end + microseconds(30), farewell));
	SECTION("not acknowledged") {
		socket.send(end + microseconds(40), 40);
		story.apply(socket.peer_fin(end + microseconds(80)));
		CHECK(story.kinds() == Names{farewell ? "farewell_write" : "reuse_race"});
		CHECK(story.verdicts.back().confidence == Confidence::certain);
	}
	SECTION("acknowledged") {
		socket.send(end + microseconds(40), 40);
		socket.acked(end + microseconds(60));
		story.apply(socket.peer_fin(end + milliseconds(300)));
		CHECK(story.kinds() == Names{farewell ? "farewell_write" : "unanswered_close"});
	}
	SECTION("answered by an RST") {
		socket.send(end + microseconds(40), 40);
		story.apply(socket.reset(end + microseconds(80)));
		CHECK(story.kinds() == Names{farewell ? "farewell_write" : "reuse_race"});
	}
	SECTION("followed by more than a farewell") {
		socket.send(end + microseconds(40), longest_farewell + 1);
		story.apply(socket.peer_fin(end + microseconds(80)));
		CHECK(story.kinds() == Names{"reuse_race"});
	}
	CHECK(story.knows_reuse() != farewell);
}

TEST_CASE("where no hook sees a farewell, its length and what came before it tell") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start + milliseconds(10), 64, 200);
	const Nanoseconds end = start + seconds(2);
	const std::uint32_t bytes = GENERATE(23U, 24U, 25U, 30U, 31U, 32U);
	const bool spoken_to = GENERATE(true, false);
	if (spoken_to) {
		socket.receive(end, 24);
		socket.read_all();
	}
	socket.send(end + microseconds(40), bytes);
	socket.view().sends_seen = false;
	story.apply(socket.peer_fin(end + microseconds(80)));
	const bool farewell = spoken_to && (bytes == 24 || bytes == 31);
	CHECK(story.kinds() == Names{farewell ? "farewell_write" : "reuse_race"});
	CHECK((story.verdicts.back().confidence == Confidence::likely) == farewell);
}

TEST_CASE("TLS farewells are not reuse") {
	Story story;
	const Role role = GENERATE(Role::active, Role::passive);
	SocketModel socket(role);
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	story.verdicts.clear();

	SECTION("an alert record, answered by an RST") {
		story.apply(socket.late_write(start + seconds(2), 31, PayloadHead::tls_alert, 26));
		story.apply(socket.reset(start + seconds(2)));
	}
	SECTION("an encrypted alert, then close") {
		story.apply(socket.late_write(start + seconds(2), 24, PayloadHead::tls_data, 19));
		story.apply(socket.close(start + seconds(2)));
		story.apply(socket.last_ack(start + seconds(2)));
	}
	SECTION("a padded one that could be a request, but nobody waits for an answer") {
		story.apply(socket.late_write(start + seconds(2), 40, PayloadHead::tls_data, 35));
		story.apply(socket.reset(start + seconds(2)));
		story.apply(socket.destroyed(start + seconds(2) + milliseconds(1)));
	}
	SECTION("a database client's goodbye") {
		story.apply(socket.late_write(start + seconds(2), 5, PayloadHead::goodbye));
		story.apply(socket.reset(start + seconds(2)));
	}
	story.finish(start + seconds(3));
	CHECK(story.kinds() == Names{"farewell_write"});
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("a short TLS record after which the application reads is a request") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	story.apply(socket.late_write(start + seconds(2), 28, PayloadHead::tls_data, 23));
	story.apply(socket.reset(start + seconds(2)));
	REQUIRE(story.kinds() == Names{"idle_close"});
	story.apply(socket.read_after_late_write(start + seconds(2) + milliseconds(1)));
	story.apply(socket.destroyed(start + seconds(2) + milliseconds(2)));
	CHECK(story.kinds() == Names{"idle_close", "stale_reuse"});
}

TEST_CASE("TLS requests of any usual length are reuse") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	socket.receive(start + seconds(1), 24); // close_notify, never read
	story.apply(socket.peer_fin(start + seconds(1)));
	story.apply(socket.late_write(start + seconds(2), 56, PayloadHead::tls_data, 51));
	story.apply(socket.reset(start + seconds(2)));
	REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(story.verdicts[1].evidence.unread_bytes == 24U);
}

TEST_CASE("a passive opener answering after the client's FIN") {
	Story story;
	SocketModel socket(Role::passive);
	story.open(socket, start);
	socket.receive(start, 100);
	socket.read_all();
	story.apply(socket.peer_fin(start + milliseconds(10)));
	story.apply(socket.late_write(start + milliseconds(800), 700));

	SECTION("half-closed by the client: the answer is accepted") {
		story.apply(socket.close(start + milliseconds(801)));
		story.apply(socket.last_ack(start + milliseconds(802)));
		story.finish(start + seconds(4));
		REQUIRE(story.kinds() == Names{"half_close_response"});
		CHECK(story.verdicts[0].evidence.bytes_after_fin == 700U);
	}
	SECTION("closed by the client: the answer is refused") {
		story.apply(socket.reset(start + milliseconds(801)));
		story.finish(start + seconds(4));
		REQUIRE(story.kinds() == Names{"abandoned_response"});
		CHECK(story.verdicts[0].evidence.receive_age == milliseconds(8)); // 10 ms, in ticks
	}
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("an upload answered early goes on after the FIN without being stale") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.send(start + milliseconds(10), 20000);
	socket.acked(start + milliseconds(11));
	socket.receive(start + milliseconds(20), 300);
	story.apply(socket.peer_fin(start + milliseconds(20)));
	REQUIRE(story.kinds().empty()); // a limit_close or an early response: not known yet

	SECTION("writes follow and the answer lies unread") {
		story.apply(socket.late_write(start + milliseconds(60), 20000));
		story.apply(socket.late_write(start + milliseconds(110), 20000));
		story.finish(start + seconds(4));
		CHECK(story.kinds() == Names{"early_response"});
	}
	SECTION("a new request begins although the answer lies unread") {
		story.apply(socket.late_write(start + milliseconds(60), 200, PayloadHead::http_request));
		story.finish(start + seconds(4));
		CHECK(story.kinds() == Names{"limit_close", "stale_reuse"});
	}
	SECTION("the answer is read before the next write: the pool was not told") {
		socket.read_all();
		story.apply(socket.late_write(start + milliseconds(600), 100));
		story.apply(socket.reset(start + milliseconds(601)));
		story.finish(start + seconds(4));
		CHECK(story.kinds() == Names{"limit_close", "stale_reuse"});
	}
	SECTION("nothing follows but the close") {
		story.apply(socket.close(start + milliseconds(30)));
		CHECK(story.kinds() == Names{"limit_close"});
	}
	SECTION("nothing follows at all") {
		story.until(start + milliseconds(1019));
		CHECK(story.kinds().empty());
		story.until(start + milliseconds(1020));
		CHECK(story.kinds() == Names{"limit_close"});
	}
}

TEST_CASE("an early response seen at the FIN is reported once") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.send(start + milliseconds(10), 200000);
	socket.acked_in_part(start + milliseconds(11), 60000);
	socket.receive(start + milliseconds(20), 300);
	story.apply(socket.peer_fin(start + milliseconds(20)));
	REQUIRE(story.kinds() == Names{"early_response"});
	story.apply(socket.late_write(start + milliseconds(60), 20000));
	story.finish(start + seconds(4));
	CHECK(story.kinds() == Names{"early_response"});
}

TEST_CASE("closing with unread bytes is a dirty close by its owner") {
	Story story;
	SocketModel socket(GENERATE(Role::active, Role::passive));
	story.open(socket, start);
	socket.receive(start + milliseconds(5), 300);
	story.apply(socket.abort(start + milliseconds(9)));
	story.finish(start + milliseconds(9));
	REQUIRE(story.kinds() == Names{"dirty_close"});
	CHECK(story.verdicts[0].evidence.unread_bytes == 300U);
	CHECK(story.verdicts[0].evidence.rst_sent == true);
	CHECK(story.verdicts[0].owner.source == OwnerSource::close);
}

TEST_CASE("SO_LINGER 0 with nothing unread is nobody's fault") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.abort(start + milliseconds(9)));
	CHECK(story.kinds().empty());
}

TEST_CASE("a connection in CLOSE_WAIT before us: the reuse is seen, the FIN's time inferred") {
	Story story;
	SocketModel socket;
	socket.turn(start, 100, 500);
	(void)socket.peer_fin(start + seconds(1));
	story.apply(socket.inventory(start + seconds(3), seconds(2)));
	story.apply(socket.owner(start + seconds(3), 99, "pool"));
	story.apply(socket.late_write(start + seconds(4), 50));
	story.apply(socket.reset(start + seconds(4)));
	REQUIRE(story.kinds() == Names{"stale_reuse"});
	const Verdict& verdict = story.verdicts[0];
	CHECK(verdict.confidence == Confidence::likely);
	CHECK(verdict.inferred == "the time of the FIN; which side opened the connection");
	CHECK(verdict.evidence.fin_to_write == seconds(3));
	CHECK_FALSE(verdict.evidence.idle.has_value());
	CHECK_FALSE(verdict.connection.age.has_value());
}

TEST_CASE("a late write that no hook sees is found by a scan, and what is not known is absent") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	socket.unseen_late_write(start + seconds(2), 50);
	story.apply(socket.late_scan(start + seconds(9)));
	socket.unseen_late_write(start + seconds(9), 60);
	story.apply(socket.late_scan(start + seconds(9) + milliseconds(100)));
	story.until(start + seconds(9) + milliseconds(249));
	REQUIRE(story.kinds() == Names{"idle_close"});
	story.until(start + seconds(9) + milliseconds(250));
	REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});
	const Verdict& verdict = story.verdicts[1];
	CHECK(verdict.confidence == Confidence::likely);
	CHECK(verdict.inferred ==
	      "the time of the write, and what the application had read by then; that the bytes, which "
	      "were not visible, are no farewell; that nobody takes what was written");
	CHECK(verdict.time == start + seconds(9)); // its first discovery
	CHECK(verdict.evidence.bytes_after_fin == 110U);
	CHECK(verdict.evidence.idle == seconds(1));
	CHECK_FALSE(verdict.evidence.fin_to_write.has_value());
	CHECK_FALSE(verdict.evidence.unread_bytes.has_value());
	CHECK_FALSE(verdict.evidence.eof_read.has_value());
	CHECK_FALSE(verdict.evidence.peeked.has_value());
	CHECK_FALSE(verdict.evidence.late_head.has_value());
	CHECK(verdict.owner.source == OwnerSource::connect);
	CHECK(verdict.message.starts_with("an unknown process on the connection of client (pid 812) "
	                                  "wrote 110 B to 10.0.0.7:8080 an unknown time after"));
}

TEST_CASE("a late write that is found when we close waits for what becomes of it") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	socket.unseen_late_write(start + seconds(2), 200);
	story.apply(socket.close(start + seconds(3)));
	REQUIRE(story.kinds() == Names{"idle_close"});
	story.until(start + seconds(3) + milliseconds(250));
	REQUIRE(story.kinds() == Names{"idle_close"});
	SECTION("an RST") {
		story.apply(socket.reset(start + seconds(3) + milliseconds(300)));
		CHECK(story.kinds() == Names{"idle_close", "stale_reuse"});
		CHECK(story.verdicts[1].confidence == Confidence::likely);
	}
	SECTION("an acknowledgement") {
		story.apply(socket.last_ack(start + seconds(4)));
		CHECK(story.kinds() == Names{"idle_close"});
	}
	story.finish(start + seconds(40));
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("an upload answered early whose rest no hook sees") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.send(start + milliseconds(10), 20000);
	socket.acked(start + milliseconds(11));
	constexpr std::uint32_t close_notify = 24;
	const std::uint32_t answer = GENERATE(24U, 300U);
	socket.receive(start + milliseconds(20), answer);
	story.apply(socket.peer_fin(start + milliseconds(20)));
	socket.unseen_late_write(start + milliseconds(60), 20000);
	const Names reuse = {"limit_close", "stale_reuse"};
	SECTION("found while the answer is unread; a close_notify is no answer") {
		story.apply(socket.reset(start + milliseconds(61)));
		CHECK(story.kinds() == (answer == close_notify ? reuse : Names{"early_response"}));
		CHECK(story.verdicts.back().confidence != Confidence::certain);
	}
	SECTION("found when the answer has been read, perhaps before the write") {
		socket.read_all();
		story.apply(socket.close(start + milliseconds(1019)));
		story.apply(socket.reset(start + milliseconds(1020)));
		CHECK(story.kinds() == reuse);
		CHECK(story.verdicts.back().confidence == Confidence::possible);
	}
	SECTION("found later than a request goes on") {
		socket.read_all();
		story.until(start + milliseconds(1020));
		story.apply(socket.close(start + milliseconds(1021)));
		story.apply(socket.reset(start + milliseconds(1022)));
		CHECK(story.kinds() == reuse);
		CHECK(story.verdicts.back().confidence == Confidence::likely);
	}
}

TEST_CASE("the owner of an older connection comes from the scan") {
	Story story;
	SocketModel socket;
	socket.turn(start, 100, 500);
	story.apply(socket.inventory(start + milliseconds(500), milliseconds(500)));
	story.apply(socket.owner(start + milliseconds(500), 99, "pool"));
	story.apply(socket.peer_fin(start + seconds(1)));
	REQUIRE(story.kinds() == Names{"idle_close"});
	CHECK(story.verdicts[0].owner.source == OwnerSource::scan);
	CHECK(story.verdicts[0].owner.pid == 99);
	CHECK(story.verdicts[0].owner.command == "pool");
}

TEST_CASE("events of a connection that has been judged and forgotten do not bring it back") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	story.apply(socket.late_write(start + seconds(2), 50));
	story.apply(socket.reset(start + seconds(2)));
	story.apply(socket.read_after_late_write(start + seconds(2)));
	story.apply(socket.destroyed(start + seconds(2)));
	story.finish(start + seconds(9));
	CHECK(story.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("what another CPU says of a late write after the end brings nothing back") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start + milliseconds(1), 100, 500);
	story.apply(socket.peer_fin(start + milliseconds(2001)));
	story.apply(socket.late_write(start + milliseconds(2499), 163));
	const Event read = socket.read_after_late_write(start + milliseconds(2500)); // in CLOSE_WAIT
	story.apply(socket.reset(start + milliseconds(2500)));
	const Names before = story.kinds();
	story.apply(read);
	story.finish(start + seconds(10));
	CHECK(story.kinds() == before);
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("a socket that is connected anew keeps its cookie, and its verdicts' ids go on") {
	Story story;
	const bool end_was_lost = GENERATE(false, true);
	for (int i = 0; i < 2; i++) {
		SocketModel socket;
		const Nanoseconds opened = start + seconds(10 * i);
		story.open(socket, opened);
		socket.turn(opened, 100, 500);
		story.apply(socket.peer_fin(opened + seconds(1)));
		if (!end_was_lost) {
			story.apply(socket.close(opened + seconds(2)));
		}
	}
	REQUIRE(story.kinds() == Names{"idle_close", "idle_close"});
	CHECK(story.verdicts[0].id == "7-1");
	CHECK(story.verdicts[1].id == "7-2");
	CHECK(story.counters().tracked == (end_was_lost ? 1U : 0U));
}

TEST_CASE("connections whose owner is not known are counted: only then a scan is of use") {
	Story story(2);
	CHECK(story.counters().unowned == 0);
	SocketModel opened(Role::active, 1);
	story.open(opened, start);
	CHECK(story.counters().unowned == 0);
	SocketModel accepted(Role::passive, 2);
	story.open(accepted, start);
	CHECK(story.counters().unowned == 1);
	story.apply(accepted.owner(start, 812, "server"));
	CHECK(story.counters().unowned == 0);
	story.apply(accepted.owner(start, 813, "server")); // another scan
	CHECK(story.counters().unowned == 0);
	SocketModel evicting(Role::passive, 3);
	story.open(evicting, start);
	CHECK(story.counters().evicted == 1);
	CHECK(story.counters().unowned == 1);
	story.apply(evicting.reset(start + seconds(1))); // the end of it
	CHECK(story.counters().unowned == 0);
}

namespace {

/// A pooled connection that its server closes 1 s after the answer; no hook sees the FIN.
SocketModel closed_unseen(Story& story) {
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	(void)socket.peer_fin(start + seconds(1));
	return socket;
}

Event scan_of(SocketModel& socket, Nanoseconds now, Nanoseconds last_ack_age) {
	Event event = socket.inventory(now, last_ack_age);
	event.kind = EventKind::scan;
	event.old_state = event.new_state = TcpState::close_wait;
	// TCP looked at its clock for the last time when the FIN came.
	event.view->clock_us -= static_cast<std::uint64_t>(last_ack_age / microseconds(1));
	return event;
}

} // namespace

TEST_CASE("a FIN that no hook saw is found by a scan: as it was then, and never certain") {
	Story story;
	SocketModel socket = closed_unseen(story);
	story.apply(scan_of(socket, start + milliseconds(1080), milliseconds(80)));
	REQUIRE(story.kinds() == Names{"idle_close"});
	const Verdict& verdict = story.verdicts[0];
	CHECK(verdict.confidence == Confidence::likely);
	CHECK(verdict.inferred == "when the FIN came, which no hook saw");
	CHECK(verdict.time == start + seconds(1));
	CHECK(verdict.evidence.idle == seconds(1));
	CHECK(story.counters().inferred == 1);

	story.apply(scan_of(socket, start + seconds(2), seconds(1))); // of the same
	CHECK(story.kinds() == Names{"idle_close"});
	story.apply(socket.close(start + seconds(3)));
	CHECK(story.counters().inferred == 1);
	CHECK(story.counters().tracked == 0);
}

TEST_CASE("what ends a connection shows a FIN that no hook saw") {
	Story story;
	SocketModel socket = closed_unseen(story);
	SECTION("our close") {
		story.apply(socket.close(start + seconds(3)));
		CHECK(story.kinds() == Names{});
	}
	SECTION("a late write") {
		story.apply(socket.late_write(start + seconds(2), 50, PayloadHead::http_request));
		story.until(start + seconds(4));
		REQUIRE(story.kinds() == Names{"stale_reuse"});
		CHECK(story.verdicts[0].confidence == Confidence::likely);
	}
	SECTION("the peer's RST") {
		story.apply(socket.reset(start + seconds(3)));
		CHECK(story.kinds() == Names{});
	}
	CHECK(story.counters().inferred == 1);
}

TEST_CASE("a FIN that came before the watch is no lost one") {
	Story story;
	SocketModel socket;
	socket.turn(start, 100, 500);
	(void)socket.peer_fin(start + seconds(1));
	SECTION("the inventory finds it") {
		story.apply(socket.inventory(start + seconds(2), seconds(1)));
		story.apply(socket.close(start + seconds(3)));
	}
	SECTION("nobody told of it before its close") {
		story.apply(socket.close(start + seconds(3)));
	}
	CHECK(story.counters().inferred == 0);
}

TEST_CASE("a late write whose hook did not run is counted") {
	Story story;
	SocketModel socket;
	story.open(socket, start);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	socket.unseen_late_write(start + seconds(2), 50);
	story.apply(socket.late_scan(start + seconds(3)));
	CHECK(story.counters().inferred == 1);
	story.until(start + seconds(5));
	REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(story.verdicts[1].confidence == Confidence::likely);
	story.apply(socket.late_scan(start + seconds(6)));
	CHECK(story.counters().inferred == 1);
}

TEST_CASE("an open that follows an open connection shows that its end was lost") {
	Story story;
	SocketModel socket(Role::active, 7);
	story.open(socket, start);
	story.apply(socket.reuse(start + seconds(1)));
	SocketModel again(Role::active, 7);
	story.open(again, start + seconds(2));
	CHECK(story.counters().inferred == 1);
}

TEST_CASE("an owner is where it was at the event") {
	Story story;
	SocketModel socket;
	Event open = socket.open(start);
	open.cgroup_id = 11;
	story.apply(open);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	Event write = socket.late_write(start + seconds(2), 163);
	SECTION("the writer's own event") {
		write.actor = Actor{813, "worker"};
		write.late->writer = write.actor;
		write.cgroup_id = 12;
		story.apply(write);
		story.finish(start + seconds(3));
		REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});
		CHECK(story.verdicts[0].owner.cgroup_id == 11);
		CHECK(story.verdicts[1].owner.cgroup_id == 12);
	}
	SECTION("an event that only tells of another writer") {
		write.actor = Actor{1, "other"};
		write.late->writer = Actor{813, "worker"};
		write.cgroup_id = 12;
		story.apply(write);
		story.finish(start + seconds(3));
		REQUIRE(story.kinds() == Names{"idle_close", "stale_reuse"});
		CHECK(story.verdicts[1].owner.cgroup_id == 0);
	}
	SECTION("the same process, later events tell nothing of it") {
		write.late->writer = open.actor;
		write.cgroup_id = 0;
		story.apply(write);
		story.finish(start + seconds(3));
		CHECK(story.verdicts[1].owner.cgroup_id == 11);
	}
}

TEST_CASE(
	"a full table evicts the connection heard of least, counts it, and keeps those with a FIN") {
	Story story(2);
	SocketModel stale(Role::active, 1);
	SocketModel quiet(Role::active, 2);
	SocketModel fresh(Role::active, 3);
	story.open(stale, start);
	stale.turn(start, 100, 500);
	story.apply(stale.peer_fin(start + seconds(1)));
	story.open(quiet, start + seconds(2));
	story.open(fresh, start + seconds(3));
	CHECK(story.counters().tracked == 2);
	CHECK(story.counters().evicted == 1);
	story.apply(stale.late_write(start + seconds(4), 50));
	story.apply(stale.reset(start + seconds(4)));
	story.finish(start + seconds(5));
	CHECK(story.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(story.verdicts[1].connection.age.has_value());
}

TEST_CASE("text from outside is escaped in the message") {
	Story story;
	SocketModel socket;
	Event open = socket.open(start);
	open.actor->command = "a\x1b[2Jb";
	story.apply(open);
	socket.turn(start, 100, 500);
	story.apply(socket.peer_fin(start + seconds(1)));
	REQUIRE(story.verdicts.size() == 1);
	CHECK(story.verdicts[0].message.find('\x1b') == std::string::npos);
	CHECK(story.verdicts[0].message.find("a\\x1b[2Jb") != std::string::npos);
}

} // namespace stalesock::test
