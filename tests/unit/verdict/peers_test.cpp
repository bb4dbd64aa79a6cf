// SPDX-License-Identifier: Apache-2.0
// Which verdicts teach what of whom, and what happens when the table is full.
#include "verdict/peers.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

namespace stalesock::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t netns = 4026531840;
constexpr Nanoseconds start = seconds(1000);

Endpoint endpoint(std::string_view text) {
	return parse_endpoint(text).value();
}

const Endpoint server = endpoint("10.0.0.7:8080");

Verdict idle_close(const Endpoint& remote, Nanoseconds now, Nanoseconds idle = seconds(2)) {
	Verdict verdict;
	verdict.kind = VerdictKind::idle_close;
	verdict.time = now;
	verdict.connection.role = Role::active;
	verdict.connection.remote = remote;
	verdict.connection.netns = netns;
	verdict.evidence.idle = idle;
	verdict.evidence.bytes_sent = 100;
	return verdict;
}

Verdict limit_close(Nanoseconds now, Nanoseconds age) {
	Verdict verdict = idle_close(server, now, milliseconds(1));
	verdict.kind = VerdictKind::limit_close;
	verdict.connection.age = age;
	return verdict;
}

void teach(Peers& peers, const Endpoint& remote, Nanoseconds now, int times = 3) {
	for (int i = 0; i < times; i++) {
		peers.observe(idle_close(remote, now + seconds(i)));
	}
}

Endpoint numbered(int number) {
	return endpoint("10.1." + std::to_string(number / 250) + "." + std::to_string(number % 250) +
	                ":80");
}

} // namespace

TEST_CASE("three idle closes teach what a verdict says of the peer", "[peers]") {
	Peers peers(10);
	const ConnectionFacts connection = idle_close(server, start).connection;
	CHECK_FALSE(peers.facts(connection));
	peers.observe(idle_close(server, start, milliseconds(2010)));
	peers.observe(idle_close(server, start + seconds(1), milliseconds(2002)));
	CHECK_FALSE(peers.facts(connection));
	peers.observe(idle_close(server, start + seconds(2), milliseconds(2004)));
	peers.observe(idle_close(server, start + seconds(3), milliseconds(400)));
	const auto facts = peers.facts(connection);
	REQUIRE(facts);
	CHECK(facts->idle_timeout == milliseconds(2002));
	CHECK(facts->spread == milliseconds(8));
	CHECK(facts->observations == 3);
	CHECK(facts->remembered == 4);
}

TEST_CASE("what is no certain idle close by FIN of a used connection does not teach", "[peers]") {
	Peers peers(10);
	teach(peers, server, start, 2);
	Verdict verdict = idle_close(server, start + seconds(5));
	bool counted = true;
	SECTION("inferred") {
		verdict.confidence = GENERATE(Confidence::likely, Confidence::possible);
	}
	SECTION("by RST") {
		verdict.evidence.rst_received = true;
		counted = false;
	}
	SECTION("before the first request") {
		verdict.evidence.bytes_sent = 0;
	}
	SECTION("with no idle time") {
		verdict.evidence.idle.reset();
	}
	SECTION("another verdict") {
		verdict.kind = GENERATE(VerdictKind::stale_reuse, VerdictKind::limit_close,
		                        VerdictKind::unanswered_close, VerdictKind::reuse_race,
		                        VerdictKind::dirty_close, VerdictKind::farewell_write);
		counted = false;
	}
	SECTION("a connection that came from there") {
		verdict.connection.role = GENERATE(Role::passive, Role::unknown);
		counted = false;
	}
	peers.observe(verdict);
	CHECK_FALSE(peers.facts(idle_close(server, start).connection));
	const Peer* const peer = peers.find(server, netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->idle_times.size() == 2);
	CHECK(peer->closes.idle == (counted ? 3U : 2U));

	peers.observe(idle_close(server, start + seconds(6)));
	CHECK(peers.facts(idle_close(server, start).connection));
}

TEST_CASE("closes are counted by kind", "[peers]") {
	Peers peers(10);
	const std::pair<VerdictKind, int> kinds[] = {
		{VerdictKind::idle_close, 6},        {VerdictKind::limit_close, 5},
		{VerdictKind::reuse_race, 4},        {VerdictKind::unanswered_close, 3},
		{VerdictKind::early_response, 2},    {VerdictKind::stale_reuse, 9},
		{VerdictKind::dirty_close, 9},       {VerdictKind::farewell_write, 9},
		{VerdictKind::abandoned_response, 9}};
	for (const auto& [kind, count] : kinds) {
		for (int i = 0; i < count; i++) {
			Verdict verdict = idle_close(server, start);
			verdict.kind = kind;
			peers.observe(verdict);
		}
	}
	Verdict reset = idle_close(server, start);
	reset.evidence.rst_received = true;
	peers.observe(reset);
	const Peer* const peer = peers.find(server, netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->closes.idle == 6);
	CHECK(peer->closes.idle_reset == 1);
	CHECK(peer->closes.limit == 5);
	CHECK(peer->closes.race == 4);
	CHECK(peer->closes.unanswered == 3);
	CHECK(peer->closes.early_response == 2);
	CHECK(peer->last_close == start);
}

TEST_CASE("a lifetime is learned from the ages at limit closes", "[peers]") {
	Peers peers(10);
	peers.observe(limit_close(start, milliseconds(60010)));
	peers.observe(limit_close(start + seconds(1), milliseconds(60500)));
	Verdict verdict = limit_close(start + seconds(2), milliseconds(60400));
	bool learned = false;
	SECTION("certain, and of a known age") {
		learned = true;
	}
	SECTION("inferred") {
		verdict.confidence = Confidence::likely;
	}
	SECTION("of an unknown age") {
		verdict.connection.age.reset();
	}
	peers.observe(verdict);
	const Peer* const peer = peers.find(server, netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->closes.limit == 3);
	REQUIRE(peer->lifetime.has_value() == learned);
	if (learned) {
		CHECK(peer->lifetime->lowest == milliseconds(60010));
		CHECK(peer->lifetime->highest == milliseconds(60500));
	}
	CHECK_FALSE(peer->idle_timeout);
	CHECK_FALSE(peers.facts(verdict.connection));
}

TEST_CASE("each remote endpoint is learned by itself", "[peers]") {
	Peers peers(10);
	teach(peers, server, start);
	for (const char* other : {"10.0.0.7:8081", "10.0.0.8:8080", "[2001:db8::7]:8080"}) {
		CAPTURE(other);
		CHECK(peers.find(endpoint(other), netns) == nullptr);
	}
	CHECK(peers.find(endpoint("[::ffff:10.0.0.7]:8080"), netns) != nullptr);
	CHECK(peers.counters().known == 1);
}

TEST_CASE("only loopback and link-local addresses differ between network namespaces", "[peers]") {
	const auto& [text, local] = GENERATE(table<std::string, bool>({
		{"10.0.0.7:80", false},
		{"126.255.255.255:80", false},
		{"127.0.0.1:80", true},
		{"127.255.0.9:80", true},
		{"128.0.0.1:80", false},
		{"169.254.1.1:80", true},
		{"169.253.1.1:80", false},
		{"[::1]:80", true},
		{"[::2]:80", false},
		{"[1::1]:80", false},
		{"[2001:db8::7]:80", false},
		{"[fe80::1]:80", true},
		{"[febf::1]:80", true},
		{"[fec0::1]:80", false},
		{"[fd80::1]:80", false},
	}));
	CAPTURE(text);
	Peers peers(10);
	teach(peers, endpoint(text), start);
	CHECK(peers.find(endpoint(text), netns) != nullptr);
	CHECK((peers.find(endpoint(text), netns + 1) == nullptr) == local);
}

TEST_CASE("verdicts on connections that others opened say nothing of the peer", "[peers]") {
	Peers peers(10);
	teach(peers, server, start);
	ConnectionFacts connection = idle_close(server, start).connection;
	REQUIRE(peers.facts(connection));
	connection.role = GENERATE(Role::passive, Role::unknown);
	CHECK_FALSE(peers.facts(connection));
}

TEST_CASE("the table of peers is bounded and counts what it evicts", "[peers]") {
	Peers peers(100);
	for (int i = 0; i < 100; i++) {
		peers.observe(idle_close(numbered(i), start + seconds(i)));
	}
	CHECK(peers.counters().known == 100);
	CHECK(peers.counters().evicted == 0);
	for (int i = 100; i < 1000; i++) {
		peers.observe(idle_close(numbered(i), start + seconds(i)));
		REQUIRE(peers.counters().known == 100);
		REQUIRE(peers.find(numbered(i), netns) != nullptr);
	}
	CHECK(peers.counters().evicted == 900);
	for (int i = 0; i < 500; i++) { // long gone
		REQUIRE(peers.find(numbered(i), netns) == nullptr);
	}
}

TEST_CASE("an endpoint comes back as a stranger", "[peers]") {
	Peers peers(1);
	teach(peers, numbered(1), start);
	peers.observe(idle_close(numbered(2), start + seconds(9)));
	teach(peers, numbered(1), start + seconds(10), 2);
	const Peer* const peer = peers.find(numbered(1), netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->closes.idle == 2);
	CHECK_FALSE(peer->idle_timeout);
	CHECK(peers.counters().evicted == 2);
}

TEST_CASE("who has taught something is evicted after who has not, and then by age", "[peers]") {
	Peers peers(3);
	teach(peers, numbered(1), start); // the oldest, but learned
	peers.observe(idle_close(numbered(2), start + seconds(20)));
	peers.observe(idle_close(numbered(3), start + seconds(10)));
	peers.observe(idle_close(numbered(4), start + seconds(30)));
	CHECK(peers.find(numbered(3), netns) == nullptr);
	peers.observe(idle_close(numbered(5), start + seconds(40)));
	CHECK(peers.find(numbered(2), netns) == nullptr);
	CHECK(peers.find(numbered(1), netns) != nullptr);
}

TEST_CASE("a lifetime is something learned, too", "[peers]") {
	Peers peers(2);
	for (int i = 0; i < 3; i++) {
		peers.observe(limit_close(start + seconds(i), seconds(60)));
	}
	peers.observe(idle_close(numbered(1), start + seconds(20)));
	peers.observe(idle_close(numbered(2), start + seconds(30)));
	CHECK(peers.find(server, netns) != nullptr);
	CHECK(peers.find(numbered(1), netns) == nullptr);
}

TEST_CASE("a table of no peers has one", "[peers]") {
	Peers peers(0);
	teach(peers, server, start);
	CHECK(peers.find(server, netns) != nullptr);
	CHECK(peers.counters().known == 1);
}

} // namespace stalesock::test
