// SPDX-License-Identifier: Apache-2.0
// What is learned outlives the program, and a damaged file does no harm.
#include "state/state.hpp"

#include "support/catch.hpp"

namespace stalesock::test {

namespace {

using matchers::Contains;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t own_netns = 4026531840;
constexpr std::uint32_t container = 4026532999;
const Endpoint server = parse_endpoint("10.0.0.7:8080").value();
const Endpoint loopback = parse_endpoint("127.0.0.1:8080").value();

Place place() {
	return {"host-a", "boot-1", own_netns, seconds(5000), 1'795'315'200};
}

/// The same host later, still up or rebooted.
Place later(Nanoseconds by) {
	Place place = test::place();
	place.boot_time += by;
	place.unix_seconds += std::chrono::floor<seconds>(by).count();
	return place;
}

Place after_reboot(Nanoseconds by) {
	Place place = later(by);
	place.boot = "boot-2";
	place.boot_time = seconds(60);
	place.netns = own_netns + 7;
	return place;
}

void teach(Peers& peers, const Endpoint& remote, std::uint32_t netns, Nanoseconds idle,
           Nanoseconds now) {
	for (int i = 2; i >= 0; i--) { // oldest first
		Verdict verdict;
		verdict.kind = VerdictKind::idle_close;
		verdict.time = now - seconds(10 * i);
		verdict.connection.role = Role::active;
		verdict.connection.remote = remote;
		verdict.connection.netns = netns;
		verdict.evidence.idle = idle + milliseconds(i);
		verdict.evidence.bytes_sent = 100;
		peers.observe(verdict);
	}
}

struct Known {
	Peers peers{100};
	Listeners listeners;
};

/// One of each thing that is learned.
Known full() {
	Known known;
	const Nanoseconds now = place().boot_time;
	teach(known.peers, server, own_netns, seconds(2), now);
	teach(known.peers, loopback, own_netns, seconds(3), now);
	teach(known.peers, loopback, container, seconds(4), now);
	known.peers.note_reuse(server, own_netns, milliseconds(1900), "a \"c\" \x1b", now - hours(1));
	for (int i = 3; i >= 0; i--) {
		known.peers.note_silent_drop(server, own_netns, seconds(400 + i), now - seconds(600 * i),
		                             now - seconds(600 * i + 400));
		Verdict limit;
		limit.kind = VerdictKind::limit_close;
		limit.time = now - seconds(i);
		limit.connection.role = Role::active;
		limit.connection.remote = server;
		limit.connection.age = seconds(60);
		limit.evidence.turns = i == 3 ? 40 : 100; // so the limit does not explain all
		known.peers.observe(limit);
	}
	Listener listener;
	listener.key = peer_key(loopback, own_netns);
	listener.last_seen = now;
	listener.idle_closes = 3;
	listener.client_idle_closes = 1;
	listener.near_misses = 2;
	listener.command = CommandName{"nginx"};
	listener.longest_reuse = LongestReuse{seconds(4), now, {}};
	for (int i = 2; i >= 0; i--) {
		listener.idle_times.add(seconds(5), now - seconds(i));
	}
	listener.client_idle_times.add(seconds(60), now);
	known.listeners.merge(listener);
	return known;
}

std::string saved(const Known& known, const Place& now) {
	return state_text(known.peers, known.listeners, now);
}

std::string refusal(std::string_view text) {
	try {
		static_cast<void>(parse_state(text));
	} catch (const StateRefused& refused) {
		return refused.what();
	}
	return "accepted";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
	const std::size_t at = text.find(from);
	REQUIRE(at != std::string::npos);
	return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("what is learned survives a restart to the byte", "[state]") {
	const std::string text = saved(full(), place());
	Known known;
	const StateMerge merge = merge_state(parse_state(text), place(), known.peers, known.listeners);
	CHECK(merge.endpoints == 4);
	CHECK(merge.elsewhere == 0);
	CHECK(saved(known, place()) == text);
	const Peer* const peer = known.peers.find(server, own_netns);
	REQUIRE(peer != nullptr);
	REQUIRE(peer->idle_timeout);
	CHECK(peer->idle_timeout->lowest == seconds(2));
	CHECK(peer->lifetime->lowest == seconds(60));
	CHECK(peer->request_limit->lowest == 100);
	CHECK(peer->silent_drop_limit->lowest == seconds(400));
	CHECK(peer->longest_reuse->command_name() == "a \"c\" \x1b");
	CHECK(peer->count(VerdictKind::limit_close) == 4);
	const Listener* const listener = known.listeners.find(loopback, own_netns);
	REQUIRE(listener != nullptr);
	CHECK(listener->idle_timeout->lowest == seconds(5));
	CHECK(listener->command.text() == "nginx");
}

TEST_CASE("nothing learned is a state too", "[state]") {
	Known known;
	const SavedState state = parse_state(saved(known, place()));
	CHECK(state.peers.empty());
	CHECK(state.listeners.empty());
	CHECK(state.place.unix_seconds == place().unix_seconds);
}

TEST_CASE("time passes while nothing runs", "[state]") {
	const std::string text = saved(full(), place());
	const auto& [passed, rebooted, remembered] = GENERATE(table<Nanoseconds, bool, bool>({
		{hours(24 * 29), false, true},
		{hours(24 * 29), true, true},
		{hours(24 * 30) + seconds(30), false, false},
		{hours(24 * 30) + seconds(30), true, false},
	}));
	const Place now = rebooted ? after_reboot(passed) : later(passed);
	Known known;
	merge_state(parse_state(text), now, known.peers, known.listeners);
	const Peer* const peer = known.peers.find(server, now.netns);
	REQUIRE(peer != nullptr);
	CHECK(peer->idle_timeout.has_value() == remembered);
	CHECK(peer->last_seen == std::chrono::floor<seconds>(now.boot_time) - passed);
	CHECK_FALSE(peer->longest_reuse);
}

TEST_CASE("a clock that was set back makes nothing of the future", "[state]") {
	Place now = after_reboot(-hours(24 * 365));
	Known known;
	merge_state(parse_state(saved(full(), place())), now, known.peers, known.listeners);
	const Peer* const peer = known.peers.find(server, now.netns);
	REQUIRE(peer->idle_timeout);
	CHECK(peer->last_seen == now.boot_time);
}

TEST_CASE("loopback is known again where it means the same", "[state]") {
	const SavedState state = parse_state(saved(full(), place()));
	Known known;
	Place now = later(seconds(10));
	std::size_t elsewhere = 0;
	bool own = true;
	bool containers = true;
	SECTION("in the same boot: the host's and the containers'") {}
	SECTION("after a reboot: the host's, by its new number") {
		now = after_reboot(seconds(100));
		containers = false;
		elsewhere = 1;
	}
	SECTION("on another host: neither") {
		now.host = "host-b";
		own = containers = false;
		elsewhere = 3;
	}
	SECTION("where the own namespace is not known: the containers'") {
		now.netns = 0;
		own = false;
		elsewhere = 2;
	}
	const StateMerge merge = merge_state(state, now, known.peers, known.listeners);
	CHECK(merge.elsewhere == elsewhere);
	CHECK((known.peers.find(loopback, now.netns) != nullptr) == own);
	CHECK((known.listeners.find(loopback, now.netns) != nullptr) == own);
	CHECK((known.peers.find(loopback, container) != nullptr) == containers);
	CHECK(known.peers.find(server, 1) != nullptr);
}

TEST_CASE("two states make one, with the latest closes of both", "[state]") {
	Known one;
	Known other;
	teach(one.peers, server, 0, seconds(2), seconds(1000));
	teach(other.peers, server, 0, seconds(5), seconds(2000));
	Known both;
	merge_state(parse_state(saved(one, place())), place(), both.peers, both.listeners);
	merge_state(parse_state(saved(other, place())), place(), both.peers, both.listeners);
	const Peer* const peer = both.peers.find(server, 0);
	REQUIRE(peer != nullptr);
	CHECK(peer->count(VerdictKind::idle_close) == 6);
	CHECK(peer->idle_timeout->lowest == seconds(2));
	CHECK(peer->idle_timeout->highest == milliseconds(5002));
	CHECK(peer->idle_times.values().entries().back().value == 50000);
}

TEST_CASE("a state of a newer version is refused by number", "[state]") {
	const std::string text = saved(full(), place());
	CHECK_THAT(refusal(replaced(text, "\"stalesock_peers\":1", "\"stalesock_peers\":2")),
	           Contains("newer stalesock: version 2 of the state, this one reads up to 1"));
}

TEST_CASE("fields and verdicts of the future are passed over", "[state]") {
	const std::string text = saved(full(), place());
	const std::string richer =
		replaced(replaced(text, "\"idle_close\":3", "\"idle_close\":3,\"x\":1"),
	             "\"last_seen_age_s\":", "\"new\":[],\"last_seen_age_s\":");
	CHECK(parse_state(richer).peers.size() == 3);
}

TEST_CASE("wherever a state is cut off, it says where", "[state]") {
	const std::string text = saved(full(), place());
	for (std::size_t length = 0; length + 1 < text.size(); length++) { // all but the last newline
		const std::string what = refusal(text.substr(0, length));
		CAPTURE(length, what);
		REQUIRE_THAT(what, Contains("cut off at byte " + std::to_string(length)));
	}
	CHECK_THAT(refusal(replaced(text, "\"peers\":[", "\"peers\":{")), Contains("damaged at byte"));
}

TEST_CASE("whichever byte is damaged, nothing worse than a refusal happens", "[state]") {
	const std::string text = saved(full(), place());
	for (std::size_t at = 0; at < text.size(); at++) {
		for (const char wrong : {'\0', '"', '-', '9', '}', '\xff'}) {
			std::string damaged = text;
			damaged[at] = wrong;
			try {
				const SavedState state = parse_state(damaged);
				Known known;
				merge_state(state, later(seconds(1)), known.peers, known.listeners);
			} catch (const StateRefused& refused) {
				REQUIRE_FALSE(std::string(refused.what()).empty());
			}
		}
	}
}

TEST_CASE("what is no state says what is wrong with it, and where", "[state]") {
	const std::string text = saved(full(), place());
	const auto& [from, to, expected] = GENERATE(table<std::string, std::string, std::string>({
		{"\"stalesock_peers\":1", "\"other\":1", "not a state of stalesock"},
		{"\"stalesock_peers\":1", "\"stalesock_peers\":\"1\"",
	     "/stalesock_peers: is not an integer"},
		{"\"saved_unix_s\":1795315200", "\"saved_unix_s\":-5", "/saved_unix_s: is not an integer"},
		{"\"10.0.0.7:8080\"", "\"10.0.0.7\"", "/peers/0: has no endpoint"},
		{"\"netns\":\"host\"", "\"netns\":\"h\"", "/peers/1/netns: is not an integer"},
		{"\"netns\":\"host\",", "", "/peers/1: needs a network namespace"},
		{"\"idle_close\":3", "\"idle_close\":-3",
	     "/peers/0/verdicts/idle_close: is not an integer"},
		{"\"idle_close\":3", "\"idle_close\":4294967296", "/peers/0/verdicts/idle_close"},
		{"\"gap_ms\":1900.0", "\"gap_ms\":-1", "/peers/0/longest_reuse/gap_ms: is not a time"},
		{"\"gap_ms\":1900.0,", "", "/peers/0/longest_reuse: has no gap_ms"},
		{"[2000.0,0]", "[2000.0]", "/peers/0/idle_closes/2: is not a pair"},
		{"[2000.0,0]", "[1e300,0]", "/peers/0/idle_closes/2/0: is not a time"},
		{"[2000.0,0]", "[2000.0,-1]", "/peers/0/idle_closes/2/1: is not an integer"},
		{"\"listeners\"", "\"others\"", "has no list \"listeners\""},
		{"\"command\":\"nginx\"", "\"command\":7", "/listeners/0/command: is not text"},
	}));
	CAPTURE(from, to);
	CHECK_THAT(refusal(replaced(text, from, to)), Contains(expected));
}

TEST_CASE("a list that is too long is refused", "[state]") {
	std::string many = "[[2000.0,0]";
	for (int i = 0; i < 32; i++) {
		many += ",[1.0,1]";
	}
	CHECK_THAT(refusal(replaced(saved(full(), place()), "\"idle_closes\":[",
	                            "\"idle_closes\":" + many + "],\"more\":[")),
	           Contains("/peers/0/idle_closes: is not a list of up to 32"));
}

} // namespace stalesock::test
