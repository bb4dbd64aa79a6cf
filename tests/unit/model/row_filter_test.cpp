// SPDX-License-Identifier: Apache-2.0
#include "model/row_filter.hpp"

#include "model/group.hpp"
#include "support/catch.hpp"
#include "support/snapshot_sample.hpp"

#include <numeric>

namespace stalesock::test {

using namespace std::chrono_literals;
using Cookies = std::vector<std::uint64_t>;

namespace {

/// Cookies of the sample's sockets that match; 0 for those that have none.
Cookies matching(const RowFilter& filter) {
	const SocketTable table = snapshot_sample();
	const RowReader reader(table, sample_moment);
	Cookies cookies;
	for (const SocketEntry& socket : table.sockets) {
		if (matches(filter, reader.read(socket))) {
			cookies.push_back(socket.cookie);
		}
	}
	return cookies;
}

std::vector<Group> groups(GroupBy by) {
	static SocketTable table;
	table = snapshot_sample();
	std::vector<std::uint32_t> all(table.sockets.size());
	std::iota(all.begin(), all.end(), 0U);
	return group_by(by, RowReader(table, sample_moment), table.sockets, all);
}

} // namespace

TEST_CASE("an empty filter matches everything", "[filter]") {
	CHECK(is_empty(RowFilter{}));
	CHECK(matching({}).size() == 9);
}

TEST_CASE("each filter by itself", "[filter]") {
	RowFilter filter;
	SECTION("state") {
		filter.states = state_bit(TcpState::listen) | state_bit(TcpState::new_syn_recv);
		CHECK(matching(filter) == Cookies{1, 0});
	}
	SECTION("stale") {
		filter.stale = true;
		CHECK(matching(filter) == Cookies{3, 4});
	}
	SECTION("remote endpoint") {
		filter.remote = parse_endpoint_pattern("10.0.0.7:8080");
		CHECK(matching(filter) == Cookies{2, 3});
	}
	SECTION("remote address") {
		filter.remote = parse_endpoint_pattern("2001:db8::7");
		CHECK(matching(filter) == Cookies{4});
	}
	SECTION("local port") {
		filter.local = parse_endpoint_pattern(":40002");
		CHECK(matching(filter) == Cookies{3});
	}
	SECTION("either port") {
		filter.port = 80;
		CHECK(matching(filter) == Cookies{1, 5, 7, 0, 0});
	}
	SECTION("process") {
		filter.pid = 4711;
		CHECK(matching(filter) == Cookies{3, 4});
	}
	SECTION("unit") {
		filter.unit = "nginx.service";
		CHECK(matching(filter) == Cookies{1, 2});
	}
	SECTION("role") {
		filter.role = Role::passive;
		CHECK(matching(filter) == Cookies{5, 0});
	}
	SECTION("idle for longer, counted from the handshake where nothing was sent") {
		filter.idle_over = 5s + 498ms;
		CHECK(matching(filter) == Cookies{4, 6});
		filter.idle_over = 5s + 497ms;
		CHECK(matching(filter) == Cookies{3, 4, 6});
	}
	SECTION("text, in any case") {
		filter.text = "NGIN";
		CHECK(matching(filter) == Cookies{1, 2});
		filter.text = "close_wait";
		CHECK(matching(filter) == Cookies{3, 4});
	}
	CHECK_FALSE(is_empty(filter));
}

TEST_CASE("endpoint patterns", "[filter]") {
	CHECK(parse_endpoint_pattern("10.0.0.7:80")->port == 80);
	CHECK(parse_endpoint_pattern("[::1]:80")->address == parse_address("::1"));
	CHECK_FALSE(parse_endpoint_pattern("::1")->port.has_value());
	CHECK_FALSE(parse_endpoint_pattern(":80")->address.has_value());
	for (const char* wrong : {"", ":", ":0", ":65536", ":8o", "host", "10.0.0.7:", "10.0.0.7:x"}) {
		CAPTURE(wrong);
		CHECK_FALSE(parse_endpoint_pattern(wrong).has_value());
	}
}

TEST_CASE("states by name, in either spelling", "[filter]") {
	CHECK(parse_tcp_state("CLOSE_WAIT") == TcpState::close_wait);
	CHECK(parse_tcp_state("close-wait") == TcpState::close_wait);
	CHECK_FALSE(parse_tcp_state("CLOSE").has_value()); // no snapshot has one
	CHECK_FALSE(parse_tcp_state("").has_value());
}

TEST_CASE("the group with most stale sockets comes first", "[group]") {
	const std::vector<Group> by_process = groups(GroupBy::process);
	REQUIRE(by_process.size() == 4);
	CHECK(by_process[0].key == "java (4711)");
	CHECK(by_process[0].count(TcpState::close_wait) == 2);
	CHECK(by_process[0].oldest_fin == 3h + 7min);
	CHECK(by_process[0].unread == 48);
	CHECK(by_process[1].key.empty()); // nobody is known to hold them
	CHECK(by_process[1].sockets == 4);
}

TEST_CASE("a process that shares a listener and has accepted nothing is shown", "[group]") {
	SocketTable table = snapshot_sample();
	table.listener_holders = {{0, 1}, {0, 2}, {0, 2}, {0, 3}}; // the listener is 0; 3 has a client
	std::vector<std::uint32_t> wanted(table.sockets.size());
	std::iota(wanted.begin(), wanted.end(), 0U);
	const RowReader reader(table, sample_moment);
	const std::vector<Group> all = group_by(GroupBy::listener, reader, table.sockets, wanted);
	REQUIRE(all.size() == 4);
	CHECK(all.back().key == ":80 java (4711)");
	CHECK(all.back().sockets == 0);
	CHECK(all.back().process == &table.processes[2]);
	SECTION("not when the listener is not wanted") {
		wanted.erase(wanted.begin());
		CHECK(group_by(GroupBy::listener, reader, table.sockets, wanted).size() == 2);
	}
	SECTION("not in other groups") {
		for (const Group& group : group_by(GroupBy::process, reader, table.sockets, wanted)) {
			CHECK(group.sockets != 0);
		}
	}
}

TEST_CASE("clients of a listener are counted by the process that serves them", "[group]") {
	const std::vector<Group> by_listener = groups(GroupBy::listener);
	REQUIRE(by_listener.size() == 3);
	CHECK(by_listener[0].key == ":80");
	CHECK(by_listener[1].key == ":80 \\x1b[31mevil\\x0a (4712)");
	CHECK(by_listener[2].key == ":80 nginx (812)");
	CHECK(by_listener[2].accept_queue == 3U);
}

TEST_CASE("who connected to us is counted by address, whom we connect to by endpoint", "[group]") {
	const std::vector<Group> by_remote = groups(GroupBy::remote);
	CHECK(by_remote[0].key == "10.0.0.7:8080");
	CHECK(by_remote[0].sockets == 2);
	CHECK(std::any_of(by_remote.begin(), by_remote.end(),
	                  [](const Group& group) { return group.key == "198.51.100.3"; }));
}

} // namespace stalesock::test
