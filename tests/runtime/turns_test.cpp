// SPDX-License-Identifier: Apache-2.0
// Turns are counted by what the application does, not by segments.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace runtime;

namespace {

/// The turns that the verdict on the peer's FIN has.
Json turns_at_end(Connection& connection) {
	stay_idle();
	close_passive(connection);
	connection.active.close();
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close"});
	return seen.active.front().at("evidence").value("turns", Json());
}

/// Where no hook sees a send begin, the count is absent.
void check_turns(Connection& connection, int expected) {
	const Json turns = turns_at_end(connection);
	if (sees(Sight::head)) {
		CHECK(turns == expected);
	} else {
		CHECK(turns.is_null());
	}
}

/// Both ends at once: more than the buffers hold.
void transfer(int from, int to, std::size_t bytes) {
	std::thread sender([&] { send_all(from, std::string(bytes, 'x')); });
	receive_exactly(to, bytes);
	sender.join();
}

void receive_spliced(int fd, std::size_t count) {
	int ends[2];
	REQUIRE(pipe(ends) == 0);
	const Descriptor out(ends[0]);
	const Descriptor in(ends[1]);
	while (count > 0) {
		const ssize_t moved = splice(fd, nullptr, in, nullptr, count, 0);
		REQUIRE(moved > 0);
		std::string drained(static_cast<std::size_t>(moved), '\0');
		REQUIRE(read(out, drained.data(), drained.size()) == moved);
		count -= static_cast<std::size_t>(moved);
	}
}

} // namespace

TEST_CASE("one turn for each request and response", "[turns][guest]") {
	Connection connection = open_connection();
	for (int i = 0; i < 5; i++) {
		exchange(connection);
	}
	check_turns(connection, 5);
}

TEST_CASE("a request in many writes and a response in many reads are one turn", "[turns]") {
	Connection connection = open_connection();
	for (int turn = 0; turn < 2; turn++) {
		for (int part = 0; part < 10; part++) {
			send_all(connection.active, "part of a request;");
			receive_exactly(connection.passive, 18);
		}
		for (int part = 0; part < 10; part++) {
			send_all(connection.passive, "part of a response");
			receive_exactly(connection.active, 9);
			receive_exactly(connection.active, 9);
		}
	}
	check_turns(connection, 2);
}

TEST_CASE("messages larger than every buffer are one turn each", "[turns]") {
	constexpr std::size_t large = 16U << 20;
	Connection connection = open_connection();
	for (int i = 0; i < 2; i++) {
		transfer(connection.active, connection.passive, large);
		transfer(connection.passive, connection.active, large);
	}
	check_turns(connection, 2);
}

TEST_CASE("pipelined requests are one turn", "[turns]") {
	Connection connection = open_connection();
	exchange(connection);
	for (int i = 0; i < 3; i++) {
		send_all(connection.active, request);
	}
	receive_exactly(connection.passive, 3 * request.size());
	for (int i = 0; i < 3; i++) {
		send_all(connection.passive, response);
	}
	receive_exactly(connection.active, 3 * response.size());
	check_turns(connection, 2);
}

TEST_CASE("a peek ends no turn, reading by splice does", "[turns][guest]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	std::string peeked(response.size(), '\0');
	REQUIRE(recv(connection.active, peeked.data(), peeked.size(), MSG_PEEK | MSG_WAITALL) ==
	        static_cast<ssize_t>(peeked.size()));
	send_all(connection.active, request); // still the first turn
	receive_spliced(connection.active, response.size());
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	receive_exactly(connection.active, response.size());
	send_all(connection.active, request); // the second
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	receive_exactly(connection.active, response.size());
	check_turns(connection, 2);
}

TEST_CASE("turns of a connection that had sent before it was seen are not known", "[turns]") {
	Connection connection = open_used_connection();
	Watch late;
	exchange(connection);
	stay_idle();
	close_passive(connection);
	connection.active.close();
	const Seen seen = late.observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close"});
	CHECK_FALSE(seen.active.front().at("evidence").contains("turns"));
}
