// SPDX-License-Identifier: Apache-2.0
#include "probe/snapshot_backlog.hpp"

#include "support/catch.hpp"

#include <future>

namespace stalesock::test {

namespace {

constexpr std::size_t chunks = 300;
constexpr Nanoseconds tick{4'000'000};

/// The last socket of each chunk comes again first in the next one, with another state.
void read_sockets(Backlog& backlog) {
	std::uint64_t cookie = 1;
	for (std::size_t i = 0; i < chunks; i++) {
		const auto space = backlog.space();
		const std::size_t count = i % 2 == 0 ? space.size() : 3;
		for (std::size_t k = 0; k < count; k++) {
			space[k] = {};
			space[k].cookie = k == 0 && i != 0 ? cookie - 1 : cookie++;
			space[k].state = static_cast<std::uint8_t>(k == 0 && i != 0 ? TcpState::close_wait
			                                                            : TcpState::established);
		}
		backlog.add(count, {}, tick);
	}
	backlog.close();
}

void check(const SocketTable& table) {
	const std::size_t a_read = 32'768 / sizeof(stalesock_socket);
	REQUIRE(table.sockets.size() == chunks / 2 * a_read + chunks / 2 * 3 - (chunks - 1));
	std::size_t again = 0;
	for (std::size_t i = 0; i < table.sockets.size(); i++) {
		REQUIRE(table.sockets[i].cookie == i + 1);
		again += table.sockets[i].state == TcpState::close_wait ? 1 : 0;
	}
	CHECK(again == chunks - 1);
}

} // namespace

TEST_CASE("sockets reach the table in order and the later record is true, whoever works",
          "[probe][snapshot]") {
	SnapshotJoin joined;
	SocketTable table;
	joined.begin(table);
	Backlog backlog(joined, table);
	SECTION("another thread beside the reader, and the reader at the end") {
		auto helper = std::async(std::launch::async, [&] { backlog.work(); });
		backlog.expect(chunks);
		read_sockets(backlog);
		backlog.work();
		helper.get();
	}
	SECTION("nobody but the reader, at the end") {
		read_sockets(backlog);
		backlog.work();
	}
	SECTION("three at once") {
		auto helper = std::async(std::launch::async, [&] { backlog.work(); });
		auto other = std::async(std::launch::async, [&] { backlog.work(); });
		read_sockets(backlog);
		backlog.work();
		helper.get();
		other.get();
	}
	check(table);
}

TEST_CASE("nothing to read is no reason to wait", "[probe][snapshot]") {
	SnapshotJoin joined;
	SocketTable table;
	joined.begin(table);
	Backlog backlog(joined, table);
	backlog.close();
	backlog.work();
	CHECK(table.sockets.empty());
}

} // namespace stalesock::test
