// SPDX-License-Identifier: Apache-2.0
// What the wire says, from segments made by hand to verdicts.
#include "capture/reconstruction.hpp"

#include "support/catch.hpp"
#include "support/wire.hpp"

#include <cerrno>

namespace stalesock::test {

namespace {

using namespace std::chrono_literals;
using Kinds = std::vector<std::string>;

constexpr unsigned fin_ack = tcp_fin | tcp_ack;
constexpr unsigned rst_ack = tcp_rst | tcp_ack;
const std::string close_notify = std::string("\x17\x03\x03\x00\x13", 5) + std::string(19, 'x');

/// One turn, then the server closes after 2 s; its FIN is acknowledged at once.
void idle_close(Talk& talk) {
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 2s;
	talk.server({}, 6, 6, fin_ack);
	talk.now += 20us;
	talk.client({}, 6, 7);
}

/// The same connection, used again or not.
Kinds kinds_after_idle_close(const std::string& late, bool reset) {
	WireTap tap;
	Talk talk(tap);
	idle_close(talk);
	talk.now += 500ms;
	talk.client(late, 6, 7);
	if (reset) {
		talk.now += 30us;
		talk.server({}, 7, 0, tcp_rst);
	}
	tap.finish();
	return tap.kinds();
}

} // namespace

TEST_CASE("an ACK number past the FIN makes a write a late one", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	idle_close(talk);
	talk.now += 498ms;
	talk.client("POST /", 6, 7);
	talk.now += 30us;
	talk.server({}, 7, 0, tcp_rst);
	tap.finish();
	REQUIRE(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
	const Verdict& verdict = tap.verdicts.back();
	CHECK(verdict.confidence == Confidence::certain);
	CHECK(verdict.evidence.fin_to_write == 498'020us);
	CHECK(verdict.evidence.bytes_after_fin == 6);
	CHECK(verdict.evidence.rst_received == true);
	CHECK(verdict.evidence.late_head == "http_request");
	CHECK_FALSE(verdict.evidence.eof_read); // no capture shows what was read
	CHECK_FALSE(verdict.evidence.peeked);
	CHECK_FALSE(verdict.evidence.unread_bytes);
	CHECK_FALSE(verdict.owner.pid);
	CHECK(verdict.connection.role == Role::active);
	CHECK(verdict.connection.age > 2s);
	CHECK(tap.verdicts.front().evidence.idle == 2s + 320us);
}

TEST_CASE("an ACK number before the FIN makes it a race, however late it is seen", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 2s;
	talk.server({}, 6, 6, fin_ack);
	talk.now += 15us;
	talk.client("GET /", 6, 6); // on another CPU, just before
	talk.now += 10us;
	talk.client({}, 11, 7);
	talk.now += 10us;
	talk.server({}, 7, 0, tcp_rst);
	tap.finish();
	REQUIRE(tap.kinds() == Kinds{"reuse_race"});
	CHECK(tap.verdicts[0].confidence == Confidence::certain);
	CHECK(tap.verdicts[0].evidence.unacked_at_fin == 5);
}

TEST_CASE("a request that crosses the FIN on its way", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	SECTION("at the client") {
		talk.answer_after = 41ms;
		talk.open(40ms, 20us);
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 2s;
		talk.client("GET /", 6, 6);
		talk.now += 10ms;
		talk.server({}, 6, 6, fin_ack);
		talk.now += 20us;
		talk.client({}, 11, 7);
		talk.now += 30ms;
		talk.server({}, 7, 0, tcp_rst);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"reuse_race"});
		CHECK(tap.verdicts[0].confidence == Confidence::certain);
		CHECK(tap.counters().vantages[static_cast<std::size_t>(Vantage::active_opener)] == 1);
	}
	SECTION("at the server: the FIN leaves first") {
		talk.reply_after = 40ms;
		talk.open(20us, 40ms);
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 2s;
		talk.server({}, 6, 6, fin_ack);
		talk.now += 10ms;
		talk.client("GET /", 6, 6);
		talk.now += 20us;
		talk.server({}, 7, 0, tcp_rst);
		talk.now += 30ms;
		talk.client({}, 11, 7);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"reuse_race"});
		CHECK(tap.verdicts[0].confidence == Confidence::likely);
		CHECK(tap.verdicts[0].inferred == "when segments came to this end and left it");
		CHECK(tap.counters().vantages[static_cast<std::size_t>(Vantage::passive_opener)] == 1);
	}
	SECTION("at the server, which resets") {
		talk.reply_after = 40ms;
		talk.open(20us, 40ms);
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 2s;
		talk.server({}, 6, 6, rst_ack);
		talk.now += 10ms; // the RST arrives after 20 ms, 30 ms after this left
		talk.client("GET /", 6, 6);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"reuse_race"});
	}
	SECTION("at the server, which resets an idle connection") {
		talk.reply_after = 40ms;
		talk.open(20us, 40ms);
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 2s;
		talk.server({}, 6, 6, rst_ack);
		talk.now += 1min;
		Talk other(tap, 40001);
		other.now = talk.now;
		other.open();
		CHECK(tap.kinds() == Kinds{"idle_close"}); // not only when the capture ends
		tap.finish();
	}
}

TEST_CASE("closes that are not the client's fault", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	SECTION("together with the answer") {
		talk.client("GET /", 1, 1);
		talk.now += 300us;
		talk.server("HTTP/", 1, 6);
		talk.server({}, 6, 6, fin_ack);
		talk.now += 20us;
		talk.client({}, 6, 7);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"limit_close"});
	}
	SECTION("without an answer") {
		talk.turn(1, 1);
		talk.now += 200ms;
		talk.client("GET /", 6, 6);
		talk.now += 100us;
		talk.server({}, 6, 11, fin_ack);
		talk.now += 20us;
		talk.client({}, 11, 7);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"unanswered_close"});
	}
	SECTION("never used") {
		talk.now += 2s;
		talk.server({}, 1, 1, fin_ack);
		talk.now += 20us;
		talk.client({}, 1, 2);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"idle_close"});
	}
	SECTION("the client closes first") {
		talk.turn(1, 1);
		talk.now += 200ms;
		talk.client({}, 6, 6, fin_ack);
		talk.now += 20us;
		talk.server({}, 6, 7, fin_ack);
		talk.now += 20us;
		talk.client({}, 7, 7);
		tap.finish();
		CHECK(tap.kinds().empty());
		CHECK(tap.count(EventKind::released) == 2);
	}
}

TEST_CASE("a server that closes on a goodbye has left no request unanswered, in a capture too",
          "[capture]") {
	const auto kinds_after = [](const std::string& words) {
		WireTap tap;
		Talk talk(tap);
		talk.open();
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 20ms;
		talk.client(words, 6, 6);
		talk.now += 1ms;
		talk.server({}, 6, 6 + static_cast<std::uint32_t>(words.size()), fin_ack);
		tap.finish();
		return tap.kinds();
	};
	CHECK(kinds_after("QUIT\r\n") == Kinds{"farewell_write"});
	CHECK(kinds_after(close_notify) == Kinds{"farewell_write"});
	CHECK(kinds_after("PING\r\n") == Kinds{"unanswered_close"});
}

TEST_CASE("a request as long as a close_notify that crosses the FIN is a race", "[capture]") {
	const auto kinds_after = [](const std::string& written) {
		WireTap tap;
		Talk talk(tap);
		talk.open();
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 200ms;
		talk.client(written, 6, 6);
		talk.now += 20us;
		talk.server("parting words", 6, 6);
		talk.now += 20us;
		talk.server({}, 19, 6, fin_ack);
		tap.finish();
		return tap.kinds();
	};
	CHECK(kinds_after("GET /24 HTTP/1.1\r\nA: b\r\n") == Kinds{"reuse_race"});
	CHECK(kinds_after(close_notify) == Kinds{"farewell_write"});
}

TEST_CASE("flow control after the FIN is no reuse, a request behind it is", "[capture]") {
	const std::string window_update("\0\0\4\x08\0\0\0\0\1more", 13);
	const auto kinds_after = [](const std::vector<std::string>& writes) {
		WireTap tap;
		Talk talk(tap);
		talk.open();
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 1ms;
		talk.server({}, 6, 6, fin_ack);
		std::uint32_t sequence = 6;
		for (const std::string& written : writes) {
			talk.now += 1ms;
			talk.client(written, sequence, 7);
			sequence += static_cast<std::uint32_t>(written.size());
		}
		tap.finish();
		return tap.kinds();
	};
	CHECK(kinds_after({window_update, window_update, window_update}) ==
	      Kinds{"limit_close", "farewell_write"});
	CHECK(kinds_after({window_update, window_update, "GET /late"}) ==
	      Kinds{"limit_close", "stale_reuse"});
}

TEST_CASE("what was sent before the FIN was known is no late write, even if it was captured after",
          "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 2s;
	talk.server({}, 6, 6, fin_ack);
	talk.now += 2ms;
	talk.client({}, 11, 7); // five bytes must have left
	talk.now += 8ms;
	SECTION("its own number says so") {
		talk.client("GET /", 6, 6);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"idle_close"});
	}
	SECTION("its own number says the contrary") {
		talk.client("GET /", 6, 7);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
	}
	SECTION("the next is one") {
		talk.client("GET /", 6, 6);
		talk.now += 8ms;
		talk.client("GET /next", 11, 7);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
		CHECK(tap.verdicts[1].evidence.bytes_after_fin == 9U);
	}
}

TEST_CASE("farewells are known by their first bytes", "[capture]") {
	CHECK(kinds_after_idle_close(close_notify, true) == Kinds{"idle_close", "farewell_write"});
	CHECK(kinds_after_idle_close("QUIT\r\n", true) == Kinds{"idle_close", "farewell_write"});
	CHECK(kinds_after_idle_close("hello", true) == Kinds{"idle_close", "stale_reuse"});
	CHECK(kinds_after_idle_close("hello", false) == Kinds{"idle_close", "stale_reuse"});
}

TEST_CASE("a payload that was not captured lowers the confidence", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.keep_payload = false;
	idle_close(talk);
	talk.now += 500ms;
	talk.client("GET / HTTP/1.1", 6, 7);
	tap.finish();
	REQUIRE(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
	CHECK(tap.verdicts[1].confidence == Confidence::likely);
	CHECK_FALSE(tap.verdicts[1].evidence.late_head);
}

TEST_CASE("the rest of an upload is an early response, the next request is not", "[capture]") {
	const auto kinds = [](const std::string& late) {
		WireTap tap;
		Talk talk(tap);
		talk.open();
		talk.now += 1ms;
		talk.client("POST /", 1, 1);
		talk.now += 10ms;
		talk.client("body", 7, 1);
		talk.now += 20us;
		talk.server("HTTP/1.1 413", 1, 11);
		talk.server({}, 13, 11, fin_ack);
		talk.now += 20us;
		talk.client({}, 11, 14);
		talk.now += 10ms;
		talk.client(late, 11, 14);
		tap.finish();
		return tap.kinds();
	};
	CHECK(kinds("more of the body") == Kinds{"early_response"});
	CHECK(kinds("GET /next") == Kinds{"limit_close", "stale_reuse"});
}

TEST_CASE("the server's answer after the client's FIN", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.client("GET /", 1, 1);
	talk.client({}, 6, 1, fin_ack);
	talk.now += 20us;
	talk.server({}, 1, 7);
	talk.now += 3s;
	talk.server("HTTP/", 1, 7);
	talk.now += 20us;
	SECTION("nobody waits for it") {
		talk.client({}, 7, 0, tcp_rst);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"abandoned_response"});
		CHECK(tap.verdicts[0].connection.role == Role::passive);
		CHECK(to_string(tap.verdicts[0].connection.local) == "10.0.0.7:8080");
	}
	SECTION("it is taken") {
		talk.client({}, 7, 6);
		talk.server({}, 6, 7, fin_ack);
		talk.now += 20us;
		talk.client({}, 7, 7);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"half_close_response"});
	}
}

TEST_CASE("keepalive probes are no payload", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	const std::string garbage = GENERATE(std::string(), std::string("\0", 1));
	for (int probe = 0; probe < 3; probe++) {
		talk.now += 1s;
		talk.client(garbage, 5, 6);
	}
	CHECK(tap.count(EventKind::keepalive_probe) == 3);
	CHECK(tap.count(EventKind::retransmit) == 0);
	SECTION("answered: the idle time goes on") {
		talk.now += 20us;
		talk.server({}, 6, 6);
		talk.now += 1s;
		talk.server({}, 6, 6, fin_ack);
		talk.now += 20us;
		talk.client({}, 6, 7);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"idle_close", "keepalive_ineffective"});
		CHECK(tap.verdicts[0].evidence.idle > 3900ms);
		CHECK(tap.verdicts[1].evidence.keepalive_probes == 3);
	}
	SECTION("unanswered: the kernel gives up") {
		talk.now += 1s;
		talk.client({}, 6, 6, rst_ack);
		tap.finish();
		const Event& end = tap.events.at(tap.events.size() - 2); // the server's is the last
		CHECK(end.kind == EventKind::end);
		CHECK(end.error == ETIMEDOUT);
		REQUIRE(end.view);
		CHECK(end.view->probes_out == 3);
		REQUIRE(tap.kinds() == Kinds{"peer_unresponsive"});
		CHECK(tap.verdicts[0].evidence.timeout == "keepalive");
		CHECK(tap.verdicts[0].confidence == Confidence::likely);
	}
	SECTION("a closed window is probed alike") {
		talk.window = 0;
		talk.server({}, 6, 6);
		talk.now += 1s;
		talk.client(garbage, 5, 6);
		CHECK(tap.count(EventKind::keepalive_probe) == 3);
	}
}

TEST_CASE("a clock that was set back gives no round trips", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.answer_after = Talk::Time(40'000);
	talk.open(40ms, 20us);
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now -= 5s;
	talk.turn(6, 6);
	talk.turn(11, 11);
	talk.now += 8s;
	talk.server({}, 16, 16, fin_ack);
	talk.now += 20us;
	talk.client({}, 16, 17);
	tap.finish();
	REQUIRE(tap.kinds() == Kinds{"idle_close"});
	CHECK(tap.verdicts[0].evidence.round_trip >= 39ms);
}

TEST_CASE("a connection that is translated on its way through the host is one", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.translated_after = Talk::Time(10);
	SECTION("on the any device, which shows it on both sides") {
		tap.any_device = true;
		idle_close(talk);
		talk.now += 500ms;
		talk.client("GET /", 6, 7);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
		CHECK(tap.verdicts[0].connection.remote.address.bytes[14] == 0); // the client's own view
		CHECK(tap.counters().connections == 2);
		CHECK(tap.counters().translated == 2);
	}
	SECTION("on the any device, a second later: another connection") {
		tap.any_device = true;
		talk.translated_after.reset();
		idle_close(talk);
		Talk other(tap, 40001);
		other.now = talk.now + 1001ms;
		idle_close(other);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"idle_close", "idle_close"});
		CHECK(tap.counters().translated == 0);
	}
	SECTION("on one device nothing is taken for a translation") {
		idle_close(talk);
		tap.finish();
		CHECK(tap.kinds() == Kinds{"idle_close", "idle_close"});
		CHECK(tap.counters().translated == 0);
	}
}

TEST_CASE("what was sent twice, captured twice, out of order or not at all", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	SECTION("a retransmission") {
		talk.client("GET /", 1, 1);
		talk.now += 210ms;
		talk.repeat(false);
		CHECK(tap.counters().copies == 0);
		CHECK(tap.count(EventKind::retransmit) == 0); // it may still be acknowledged
		tap.finish();
		CHECK(tap.count(EventKind::retransmit) == 1);
	}
	SECTION("a copy") {
		talk.client("GET /", 1, 1);
		talk.now += 2ms;
		talk.repeat(true);
		CHECK(tap.count(EventKind::retransmit) == 0);
		CHECK(tap.counters().copies == 1);
	}
	SECTION("out of order") {
		talk.client("second", 6, 1);
		talk.client("first", 1, 1);
		CHECK(tap.count(EventKind::retransmit) == 0);
	}
	SECTION("an answer that the capture lost") {
		talk.client("GET /", 1, 1);
		talk.now += 300us;
		talk.client({}, 6, 101); // acknowledges 100 bytes that nobody saw
		talk.now += 2s;
		talk.server({}, 101, 6, fin_ack);
		talk.now += 20us;
		talk.client({}, 6, 102);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"idle_close"});
		CHECK(tap.verdicts[0].evidence.bytes_received == 100);
		CHECK(tap.verdicts[0].confidence == Confidence::likely);
		CHECK(tap.verdicts[0].inferred ==
		      "what the capture has lost; that what came last was the answer");
		CHECK(tap.counters().lost == 1);
	}
	SECTION("a request that the capture lost") {
		talk.server({}, 1, 6); // acknowledges 5 bytes that nobody saw
		talk.now += 300us;
		talk.server("HTTP/", 1, 6);
		talk.now += 2s;
		talk.server({}, 6, 6, fin_ack);
		talk.now += 20us;
		talk.client({}, 6, 7);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"idle_close"});
		CHECK(tap.verdicts[0].evidence.bytes_sent == 5);
	}
}

TEST_CASE("a path that has forgotten the connection", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open(40ms, 20us);
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 10min;
	talk.client("GET /", 6, 6);
	for (const auto wait : {200ms, 400ms, 800ms, 1600ms}) {
		talk.now += wait;
		talk.repeat(false);
	}
	tap.finish();
	REQUIRE(tap.kinds() == Kinds{"silent_drop"});
	CHECK(tap.verdicts[0].evidence.retransmits == 4U);
	CHECK(tap.verdicts[0].confidence == Confidence::likely);
	CHECK(tap.verdicts[0].evidence.gap > 599s);
}

TEST_CASE("a write that is acknowledged in the end was not forgotten by the path", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 2s;
	talk.client("GET /", 6, 6);
	for (const auto wait : {200ms, 400ms, 800ms}) {
		talk.now += wait;
		talk.repeat(false);
	}
	talk.now += 50ms;
	talk.server({}, 6, 11);
	tap.finish();
	CHECK(tap.kinds().empty());
}

TEST_CASE("a FIN that the capture shows after its acknowledgement", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 5s;
	talk.client({}, 6, 7);
	talk.now += 10us;
	talk.server({}, 6, 6, fin_ack);
	talk.now += 600ms;
	talk.client("GET /", 6, 7);
	talk.now += 100us;
	talk.server({}, 7, 0, tcp_rst);
	tap.finish();
	CHECK(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
}

TEST_CASE("an RST that acknowledges the request came after its peer's kernel had it", "[capture]") {
	const auto kinds_after = [](std::uint32_t acknowledged) {
		WireTap tap;
		Talk talk(tap);
		talk.open();
		talk.now += 1ms;
		talk.turn(1, 1);
		talk.now += 58s;
		talk.client("GET /", 6, 6);
		talk.now += 300us;
		talk.server({}, 6, acknowledged, tcp_rst | tcp_ack);
		tap.finish();
		return tap.kinds();
	};
	CHECK(kinds_after(11) == Kinds{"unanswered_close"});
	CHECK(kinds_after(6) == Kinds{"reuse_race"});
}

TEST_CASE("a FIN that never came is none", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.reply_after = 40ms; // taken at the server
	talk.open(20us, 40ms);
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 2s;
	talk.server({}, 6, 6, fin_ack);
	talk.now += 300ms;
	talk.repeat(false);
	tap.finish();
	CHECK(tap.count(EventKind::peer_fin) == 0);
}

TEST_CASE("an RST that does not fit is ignored", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1ms;
	talk.turn(1, 1);
	talk.now += 1s;
	talk.server({}, 2, 0, tcp_rst); // below what was received
	for (const Event& event : tap.events) {
		CHECK((event.kind != EventKind::end || event.local.port == 8080)); // who sent it is gone
	}
}

TEST_CASE("connections that were open before the capture", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	SECTION("whoever sends a request opened it") {
		talk.server_port = 50000;
		talk.turn(100, 200);
		CHECK(tap.events.at(0).inherited_backlog == false);
		CHECK(tap.events.at(1).inherited_backlog == true);
	}
	SECTION("the lower port listens") {
		talk.server("hello", 200, 100);
		CHECK(tap.events.at(0).inherited_backlog == true);
	}
	SECTION("where no port tells, whoever speaks first asks") {
		talk.server_port = 50000; // above the client's
		talk.client("hello", 100, 200);
		CHECK(tap.events.at(0).inherited_backlog == false);
		CHECK(tap.events.at(1).inherited_backlog == true);
		Talk low(tap, 9000);
		low.client("hello", 100, 200); // to 8080
		CHECK(tap.events.at(2).local.port == 9000);
		CHECK(tap.events.at(2).inherited_backlog == false);
		Talk acknowledging(tap, 60000);
		acknowledging.server_port = 50000;
		acknowledging.client({}, 100, 200); // says nothing: the lower port
		CHECK(tap.events.at(4).local.port == 60000);
		CHECK(tap.events.at(4).inherited_backlog == false);
		return;
	}
	SECTION("a port that accepted before listens") {
		talk.server_port = 50000;
		talk.open();
		Talk other(tap, 60000);
		other.server_port = 50000;
		Talk third(tap, 40010);
		third.server_port = 50000;
		third.client("hello", 100, 200);
		const Event& first = tap.events.at(tap.events.size() - 2);
		CHECK(first.local.port == 40010);
		CHECK(first.inherited_backlog == false);
	}
	SECTION("its verdicts say so") {
		talk.turn(100, 200);
		talk.now += 2s;
		talk.server({}, 205, 105, fin_ack);
		talk.now += 20us;
		talk.client({}, 105, 206);
		talk.now += 500ms;
		talk.client("GET /", 105, 206);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"idle_close", "stale_reuse"});
		CHECK(tap.verdicts[1].confidence == Confidence::likely);
		CHECK(tap.verdicts[1].inferred == "which side opened the connection");
		CHECK_FALSE(tap.verdicts[1].evidence.bytes_sent);
		CHECK_FALSE(tap.verdicts[1].connection.age);
	}
	SECTION("how long it was idle is not known") {
		talk.server({}, 200, 100, fin_ack);
		talk.now += 20us;
		talk.client({}, 100, 201);
		talk.now += 500ms;
		talk.client("GET /", 100, 201);
		tap.finish();
		REQUIRE(tap.kinds() == Kinds{"stale_reuse"});
		CHECK_FALSE(tap.verdicts[0].evidence.idle);
	}
	CHECK(tap.counters().begun_before <= 1);
}

TEST_CASE("ports are used again", "[capture]") {
	WireTap tap;
	Talk talk(tap);
	talk.open();
	talk.now += 1s;
	talk.client({}, 500, 0, tcp_syn);
	talk.now += 20us;
	talk.server({}, 700, 501, tcp_syn | tcp_ack);
	CHECK(tap.counters().connections == 2);
	CHECK(tap.count(EventKind::released) == 2); // the first one is over
}

TEST_CASE("a full table forgets what was silent for longest, and counts it", "[capture]") {
	WireTap tap(2);
	for (std::uint16_t port = 40000; port < 40005; port++) {
		Talk(tap, port).open();
	}
	tap.finish();
	CHECK(tap.counters().connections == 5);
	CHECK(tap.counters().evicted == 3);
}

TEST_CASE("a connection of an endpoint with itself does no harm", "[capture]") {
	WireTap tap;
	TcpPacket packet;
	packet.source = packet.destination = 5000;
	Ipv4 ip;
	ip.destination = ip.source;
	for (const unsigned flags : {unsigned{tcp_syn}, unsigned{tcp_syn | tcp_ack}, unsigned{tcp_ack},
	                             fin_ack, unsigned{tcp_rst}}) {
		packet.flags = flags;
		ip.identification++;
		tap.take(ipv4_bytes(packet, ip), 1ms);
	}
	tap.finish();
	CHECK(tap.counters().connections >= 1);
}

} // namespace stalesock::test
