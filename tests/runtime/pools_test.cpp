// SPDX-License-Identifier: Apache-2.0
// What a connection says together with what its server taught before.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <cmath>
#include <string>

using namespace runtime;

namespace {

constexpr milliseconds server_timeout{1000};

/// Three idle connections that the server closes after the same time.
void teach(const Listener& server) {
	std::vector<Connection> connections;
	for (int i = 0; i < 3; i++) {
		connections.push_back(server.open());
		exchange(connections.back());
	}
	stay_idle(server_timeout);
	for (Connection& connection : connections) {
		close_passive(connection);
	}
	for (Connection& connection : connections) {
		watch().wait_for(connection.active_side, "idle_close");
		connection.active.close();
	}
}

Connection open_used(const Listener& server) {
	Connection connection = server.open();
	exchange(connection);
	return connection;
}

} // namespace

TEST_CASE("a server closes an idle connection far sooner than usual", "[pools]") {
	const Listener server;
	teach(server);
	Connection early = open_used(server);
	stay_idle();
	close_passive(early);
	early.active.close();

	const Seen seen = watch().observe(early);
	REQUIRE(names(seen.active) == Names{"early_idle_close"});
	CHECK(seen.active[0].at("severity") == "notice");
	CHECK(seen.active[0].at("evidence").at("idle_ms") < 500.0);
	CHECK(seen.active[0].at("peer").at("idle_timeout_ms") >= 1000.0);
	CHECK(seen.active[0].at("peer").at("observations") == 3);
}

TEST_CASE("without a learned timeout an early close is an idle close", "[pools]") {
	const Listener server;
	Connection connection = open_used(server);
	stay_idle();
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("a pool reuses connections just before the server closes them", "[pools]") {
	if (!sees(Sight::head)) {
		return skip("no hook sees a send begin");
	}
	const Listener server;
	teach(server);
	Connection soon = open_used(server);
	Connection late = open_used(server);
	stay_idle(milliseconds(600));
	exchange(soon);
	stay_idle(milliseconds(300));
	exchange(late);
	watch().wait_for(late.active_side, "pool_mismatch");
	stay_idle(milliseconds(900));
	exchange(late); // a near miss again, which is no news
	close_both(soon);
	close_both(late);

	const Seen seen = watch().observe(late);
	REQUIRE(names(seen.active) == Names{"pool_mismatch"});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("severity") == "warning");
	CHECK(verdict.at("evidence").at("gap_ms") >= 850.0);
	CHECK(verdict.at("evidence").at("near_misses") == 1);
	CHECK(verdict.at("owner").at("pid") == getpid());
	const double half = verdict.at("peer").at("idle_timeout_ms").get<double>() / 2;
	const std::string limit = std::to_string(std::lround(half / 10) * 10) + " ms"; // to two digits
	CHECK(verdict.at("advice").get<std::string>().find(limit) != std::string::npos);
	CHECK(names(watch().about(soon.active_side)) == Names{});
}
