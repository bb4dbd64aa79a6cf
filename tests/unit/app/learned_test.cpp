// SPDX-License-Identifier: Apache-2.0
#include "app/learned.hpp"
#include "app/state_file.hpp"
#include "app/usage_error.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

#include <fstream>

namespace stalesock::test {

namespace {

using matchers::Contains;

const Endpoint server = parse_endpoint("10.0.0.7:8080").value();

/// A saved state in which the server closes after two seconds.
void save_timeout(const std::string& path, const Moment& now) {
	Peers peers(10);
	Verdict close;
	close.kind = VerdictKind::idle_close;
	close.connection.role = Role::active;
	close.connection.remote = server;
	close.evidence.idle = std::chrono::seconds(2);
	close.evidence.bytes_sent = 10;
	close.evidence.bytes_received = 10;
	for (int i = 0; i < 3; i++) {
		close.time = now.boot + std::chrono::seconds(i);
		peers.observe(close);
	}
	write_state_file(path, state_text(peers, Listeners{}, place_here(now)));
}

} // namespace

TEST_CASE("timeouts that were learned elsewhere are read and their file is left alone",
          "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const Moment now = read_clocks();
	save_timeout(path, now);
	const LearnedTimeouts learned(path, now);
	CHECK(learned.problem().empty());
	const auto timeout = learned.peer(server, 1);
	REQUIRE(timeout);
	CHECK(timeout->idle == std::chrono::seconds(2));
	CHECK(timeout->observations == 3);
	CHECK_FALSE(learned.peer(parse_endpoint("10.0.0.8:8080").value(), 1));
	CHECK_FALSE(learned.connection(1));
}

TEST_CASE("a saved state that was named has to be good", "[app][state]") {
	const ScratchFolder folder;
	const std::string path = folder / "peers.json";
	const Moment now = read_clocks();
	CHECK_THROWS_AS(LearnedTimeouts(path, now), UsageError);
	std::ofstream(path) << "{";
	CHECK_THROWS_WITH(LearnedTimeouts(path, now), Contains("peers.json: is cut off"));
	CHECK(std::ifstream(path).good()); // not renamed
}

} // namespace stalesock::test
