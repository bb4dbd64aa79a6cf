// SPDX-License-Identifier: Apache-2.0
// What was learned, as JSON and as tables. validate_peers.py checks the JSON against its schema.
#include "sinks/peer_json.hpp"
#include "sinks/peer_table.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

#include <algorithm>

namespace stalesock::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime seen = WallTime(seconds(1'795'315'200)) + std::chrono::microseconds(123456);

void add(Observations& times, std::initializer_list<int> times_ms) {
	Nanoseconds now = seconds(1000);
	for (const int ms : times_ms) {
		times.add(milliseconds(ms), now += seconds(1));
	}
}

/// Of everything something.
Peer full_peer() {
	Peer peer;
	peer.key = {parse_endpoint("10.0.0.7:8080").value(), 0};
	peer.verdicts.at(static_cast<std::size_t>(VerdictKind::idle_close)) = 27;
	peer.verdicts.at(static_cast<std::size_t>(VerdictKind::stale_reuse)) = 2;
	peer.idle_resets = 1;
	peer.near_misses = 3;
	add(peer.idle_times, {5000, 5003, 5001, 700});
	add(peer.lifetimes, {60000, 60400, 60010});
	peer.request_counts.add(40, seconds(999), Burst{}); // the limit does not explain every close
	for (int i = 0; i < 3; i++) {
		peer.silent_drops.add(seconds(350 + i), seconds(1000 + i), Burst{});
		peer.request_counts.add(100, seconds(1000 + i), Burst{});
	}
	peer.longest_reuse = LongestReuse{milliseconds(4800), {}, CommandName{"java"}};
	relearn(peer);
	return peer;
}

Peer bare_peer(const char* endpoint) {
	Peer peer;
	peer.key = {parse_endpoint(endpoint).value(), 0};
	return peer;
}

Peer local_peer() {
	Peer peer = bare_peer("[::1]:9000");
	peer.key.netns = 4026531840;
	add(peer.idle_times, {1000, 1300, 1310, 1320, 1600, 1900, 5000, 5000, 5001});
	peer.longest_reuse = LongestReuse{milliseconds(10), {}, CommandName{"\x1b[2J\xff x"}};
	relearn(peer);
	return peer;
}

Listener full_listener() {
	Listener listener;
	listener.key = {parse_endpoint("127.0.0.1:8080").value(), 4026531840};
	listener.idle_closes = 4;
	listener.client_idle_closes = 3;
	listener.near_misses = 5;
	listener.command = CommandName{"nginx"};
	listener.longest_reuse = LongestReuse{milliseconds(4900), {}, {}};
	add(listener.idle_times, {5000, 5000, 5004});
	add(listener.client_idle_times, {60000, 60000, 60010});
	relearn(listener);
	return listener;
}

Listener bare_listener() {
	Listener listener;
	listener.key = {parse_endpoint("[2001:db8:1234:5678:9abc:def0:1234:5678]:65535").value(), 0};
	return listener;
}

std::vector<std::string> tables(std::size_t width) {
	const Peer peers[] = {full_peer(), local_peer(), bare_peer("10.0.0.8:443"),
	                      bare_peer("[2001:db8:1234:5678:9abc:def0:1234:5678]:65535")};
	const Listener listeners[] = {full_listener(), bare_listener()};
	std::vector<std::string> lines =
		peer_table({&peers[0], &peers[1], &peers[2], &peers[3]}, width);
	const auto more = listener_table({&listeners[0], &listeners[1]}, width);
	lines.insert(lines.end(), more.begin(), more.end());
	return lines;
}

} // namespace

TEST_CASE("JSON of what was learned", "[sinks][golden]") {
	check_golden("peers/lines.jsonl",
	             {json_line(full_peer(), seen), json_line(local_peer(), seen),
	              json_line(bare_peer("10.0.0.8:443"), seen), json_line(full_listener(), seen),
	              json_line(bare_listener(), seen)});
}

TEST_CASE("tables of what was learned", "[sinks][golden]") {
	check_golden("peers/80.txt", tables(80));
	check_golden("peers/120.txt", tables(120));
}

TEST_CASE("no table is wider than asked for, and none shows control characters", "[sinks]") {
	const std::size_t asked = GENERATE(1U, 80U, 97U, 120U, 500U);
	for (const std::string& line : tables(asked)) {
		CAPTURE(line);
		CHECK(line.size() <= std::clamp<std::size_t>(asked, 80, 120));
		CHECK(line.find('\x1b') == std::string::npos);
		CHECK_FALSE(line.ends_with(' '));
	}
}

TEST_CASE("of nothing there is no table", "[sinks]") {
	CHECK(peer_table({}, 80).empty());
	CHECK(listener_table({}, 80).empty());
}

} // namespace stalesock::test
