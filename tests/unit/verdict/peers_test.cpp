// SPDX-License-Identifier: Apache-2.0
// Which verdicts teach what of whom, and what happens when the table is full.
#include "support/catch.hpp"
#include "verdict/peers.hpp"

#include <chrono>
#include <string>
#include <vector>

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

TEST_CASE("a restart soon after a timeout was learned changes nothing", "[peers]") {
	Peers peers(10);
	Nanoseconds now = start;
	for (int i = 0; i < 5; i++) {
		peers.observe(idle_close(server, now += seconds(3), seconds(2)));
	}
	now += seconds(1);
	for (int i = 0; i < 8; i++) {
		Verdict early = idle_close(server, now += milliseconds(1), milliseconds(502));
		early.kind = VerdictKind::early_idle_close;
		peers.observe(early);
	}
	const auto facts = peers.facts(idle_close(server, now).connection);
	REQUIRE(facts);
	CHECK(facts->idle_timeout == seconds(2));
	CHECK(facts->spread == Nanoseconds::zero());
	CHECK(facts->observations == 5);
	CHECK(facts->remembered == 6);
}

TEST_CASE("what is no certain idle close of a used connection does not teach", "[peers]") {
	Peers peers(10);
	teach(peers, server, start, 2);
	Verdict verdict = idle_close(server, start + seconds(5));
	bool counted = true;
	SECTION("inferred") {
		verdict.confidence = GENERATE(Confidence::likely, Confidence::possible);
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
	CHECK(peer->count(VerdictKind::idle_close) == (counted ? 3U : 2U));

	peers.observe(idle_close(server, start + seconds(6)));
	CHECK(peers.facts(idle_close(server, start).connection));
}

TEST_CASE("idle closes with parting words teach, though these could be an answer", "[peers]") {
	Peers peers(10);
	for (int i = 0; i < 3; i++) {
		Verdict verdict = idle_close(server, start + seconds(i));
		verdict.confidence = Confidence::likely;
		verdict.counts_when_agreed = true;
		peers.observe(verdict);
	}
	const auto facts = peers.facts(idle_close(server, start).connection);
	REQUIRE(facts);
	CHECK(facts->observations == 3);
}

TEST_CASE("verdicts are counted by kind", "[peers]") {
	Peers peers(10);
	const std::pair<VerdictKind, int> kinds[] = {
		{VerdictKind::idle_close, 6},     {VerdictKind::limit_close, 5},
		{VerdictKind::reuse_race, 4},     {VerdictKind::unanswered_close, 3},
		{VerdictKind::early_response, 2}, {VerdictKind::stale_reuse, 9},
		{VerdictKind::dirty_close, 8},    {VerdictKind::farewell_write, 7}};
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
	for (const auto& [kind, count] : kinds) {
		CAPTURE(to_string(kind));
		CHECK(peer->count(kind) ==
		      static_cast<unsigned>(count) + (kind == VerdictKind::idle_close ? 1U : 0U));
	}
	CHECK(peer->idle_resets == 1);
	CHECK(peer->last_seen == start);
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
	CHECK(peer->count(VerdictKind::limit_close) == 3);
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
	CHECK(peer->count(VerdictKind::idle_close) == 2);
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

TEST_CASE("the longest reuse is kept with its first user", "[peers]") {
	Peers peers(10);
	peers.note_reuse(server, netns, seconds(3), "first", start);
	peers.note_reuse(server, netns, seconds(5), "a-command-of-more-than-16", start + seconds(10));
	peers.note_reuse(server, netns, seconds(5), "later", start + seconds(20));
	peers.note_reuse(server, netns, seconds(4), "shorter", start + seconds(30));
	const Peer* const peer = peers.find(server, netns);
	REQUIRE(peer != nullptr);
	REQUIRE(peer->longest_reuse);
	CHECK(peer->longest_reuse->gap == seconds(5));
	CHECK(peer->longest_reuse->command_name() == "a-command-of-mor");
	CHECK(peer->last_seen == start + seconds(30));
	CHECK(peer->near_misses == 0);
	peers.note_reuse(server, netns, seconds(6), "", start + seconds(40));
	CHECK(peer->longest_reuse->command_name().empty());
}

TEST_CASE("a reuse at 0.8 of the learned timeout is a near miss", "[peers]") {
	Peers peers(10);
	peers.note_reuse(server, netns, seconds(2), "client", start); // nothing is learned yet
	teach(peers, server, start);                                  // 2 s
	peers.note_reuse(server, netns, milliseconds(1599), "client", start);
	CHECK(peers.find(server, netns)->near_misses == 0);
	peers.note_reuse(server, netns, milliseconds(1600), "client", start);
	peers.note_reuse(server, netns, seconds(3), "client", start);
	CHECK(peers.find(server, netns)->near_misses == 2);
}

TEST_CASE("three silent drops are a limit", "[peers]") {
	Peers peers(10);
	const auto drop = [&](Nanoseconds idle, Nanoseconds now) {
		peers.note_silent_drop(server, netns, idle, now, start - seconds(1000));
		return peers.find(server, netns)->silent_drop_limit;
	};
	CHECK_FALSE(drop(seconds(900), start));
	CHECK_FALSE(drop(seconds(400), start + seconds(60)));
	CHECK_FALSE(drop(seconds(10), start + seconds(119))); // the path is down
	const auto limit = drop(seconds(700), start + seconds(120));
	REQUIRE(limit);
	CHECK(limit->lowest == seconds(400));
	CHECK(limit->highest == seconds(900));
	CHECK(limit->agreeing == 3);
	CHECK(drop(seconds(500), start + seconds(200))->highest == seconds(700));
}

TEST_CASE("a path that worked in between has forgotten a connection anew", "[peers]") {
	Peers peers(10);
	for (int i = 0; i < 3; i++) {
		CHECK((i == 0 || !peers.find(server, netns)->silent_drop_limit));
		const Nanoseconds now = start + seconds(10 * i);
		peers.note_silent_drop(server, netns, seconds(2), now, now - seconds(2));
	}
	CHECK(peers.find(server, netns)->silent_drop_limit);
}

TEST_CASE("peers are listed by address, port and namespace", "[peers]") {
	Peers peers(10);
	for (const char* text : {"[2001:db8::7]:80", "127.0.0.1:81", "10.0.0.9:80", "127.0.0.1:80"}) {
		teach(peers, endpoint(text), start, 1);
	}
	Verdict elsewhere = idle_close(endpoint("127.0.0.1:80"), start);
	elsewhere.connection.netns = netns - 1;
	peers.observe(elsewhere);
	std::vector<std::string> names;
	for (const Peer* const peer : peers.sorted()) {
		names.push_back(to_string(peer->key.endpoint) + (peer->key.netns == netns ? " *" : ""));
	}
	CHECK(names == std::vector<std::string>{"10.0.0.9:80", "127.0.0.1:80", "127.0.0.1:80 *",
	                                        "127.0.0.1:81 *", "[2001:db8::7]:80"});
}

TEST_CASE("what is learned is forgotten after 30 days, seen again or not", "[peers]") {
	using std::chrono::hours;
	Peers peers(10);
	teach(peers, server, start);
	peers.note_reuse(server, netns, seconds(1), "client", start);
	const Nanoseconds later = start + hours(30 * 24);
	peers.age_all(later);
	CHECK(peers.find(server, netns)->idle_timeout);
	CHECK_FALSE(peers.find(server, netns)->longest_reuse); // 7 days
	SECTION("by looking") {
		peers.age_all(later + seconds(3));
	}
	SECTION("by a reuse, an hour after it was last looked at") {
		peers.note_reuse(server, netns, seconds(2), "client", later + hours(1));
	}
	CHECK_FALSE(peers.find(server, netns)->idle_timeout);
	CHECK(peers.find(server, netns)->near_misses == 0);
	CHECK(peers.find(server, netns)->count(VerdictKind::idle_close) == 3);
}

TEST_CASE("a server that closes with its first answer has no limit of age", "[peers]") {
	Peers peers(10);
	for (int i = 0; i < 5; i++) {
		Verdict verdict = limit_close(start + seconds(i), milliseconds(2000));
		verdict.evidence.idle =
			milliseconds(i < 3 ? 1901 : 1900); // the last request after 99, 100 ms
		peers.observe(verdict);
		REQUIRE_FALSE(peers.find(server, netns)->lifetime);
	}
	CHECK(peers.find(server, netns)->lifetimes.size() == 2);
}

TEST_CASE("a request limit is learned from equal turns at limit closes", "[peers]") {
	Peers peers(10);
	const auto limit_after = [&](std::uint64_t turns) {
		Verdict verdict =
			limit_close(start + seconds(static_cast<std::int64_t>(turns)), seconds(9));
		verdict.evidence.turns = turns;
		peers.observe(verdict);
		return peers.find(server, netns)->request_limit;
	};
	limit_after(100);
	limit_after(101);
	CHECK_FALSE(limit_after(100));
	limit_after(99);
	const auto limit = limit_after(100);
	REQUIRE(limit);
	CHECK(limit->lowest == 100);
	CHECK(limit->highest == 100);
	CHECK(limit->agreeing == 3);
}

TEST_CASE("merging adds what another host, or an earlier run, has learned", "[peers]") {
	Peers here(10);
	Peers there(10);
	teach(here, server, start, 2);
	here.note_reuse(server, netns, seconds(1), "here", start);
	teach(there, server, start + seconds(100), 1);
	there.note_reuse(server, netns, seconds(3), "there", start);
	there.observe(limit_close(start + seconds(200), seconds(60)));
	there.note_silent_drop(server, netns, seconds(900), start, start - seconds(900));
	teach(there, numbered(1), start);
	for (const Peer* const peer : there.sorted()) {
		here.merge(*peer);
	}
	const Peer* const peer = here.find(server, netns);
	CHECK(peer->count(VerdictKind::idle_close) == 3);
	CHECK(peer->count(VerdictKind::limit_close) == 1);
	REQUIRE(peer->idle_timeout);
	CHECK(peer->idle_timeout->agreeing == 3);
	CHECK(peer->lifetimes.size() == 1);
	CHECK(peer->silent_drops.size() == 1);
	CHECK(peer->longest_reuse->command_name() == "there");
	CHECK(peer->last_seen == start + seconds(200));
	CHECK(here.find(numbered(1), netns)->idle_timeout);
	here.merge(*there.find(server, netns));
	CHECK(here.find(server, netns)->idle_timeout->agreeing == 3); // the same closes
}

TEST_CASE("a table of no peers has one", "[peers]") {
	Peers peers(0);
	teach(peers, server, start);
	CHECK(peers.find(server, netns) != nullptr);
	CHECK(peers.counters().known == 1);
}

} // namespace stalesock::test
