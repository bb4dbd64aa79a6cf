// SPDX-License-Identifier: Apache-2.0
// What a connection says together with what its server taught before.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

using namespace runtime;

namespace {

constexpr milliseconds server_timeout{1000};

/// What closes agree within is 50 ms.
constexpr double surely_agreed_ms = 40;
constexpr int most_attempts = 10;

/// Tries with a server of its own each time, until the machine has kept time: only then does this test know what is
/// to be said. No attempt looks at a verdict before it knows.
template <typename Attempt> void on_time(const Attempt& attempt) {
	for (int i = 0; i < most_attempts; i++) {
		if (attempt()) {
			return;
		}
	}
	FAIL("the machine stood still each time");
}

/// Three idle connections, one after the other (what closes at one moment is one observation), that the server closes after
/// the same time; false: after times too far from each other.
bool teach(const Listener& server) {
	double shortest = std::numeric_limits<double>::max();
	double longest = 0;
	for (int i = 0; i < 3; i++) {
		Connection connection = server.open();
		const auto before_use = Clock::now();
		exchange(connection);
		const auto used = Clock::now();
		stay_idle(server_timeout);
		shortest = std::min(shortest, elapsed_ms(used, Clock::now()));
		close_passive(connection);
		longest = std::max(longest, elapsed_ms(before_use, Clock::now()));
		watch().wait_for(connection.active_side, "idle_close");
		connection.active.close();
	}
	return longest - shortest <= surely_agreed_ms &&
	       shortest <= static_cast<double>(server_timeout.count()) + surely_agreed_ms;
}

Connection open_used(const Listener& server) {
	Connection connection = server.open();
	exchange(connection);
	return connection;
}

} // namespace

TEST_CASE("a server closes an idle connection far sooner than usual", "[pools]") {
	on_time([] {
		const Listener server;
		const bool taught = teach(server);
		const auto before_use = Clock::now();
		Connection early = open_used(server);
		stay_idle();
		close_passive(early);
		const double most_idle_ms = elapsed_ms(before_use, Clock::now());
		early.active.close();
		if (!taught || most_idle_ms >= 450) { // from half of the timeout on it is not early
			return false;
		}
		const Seen seen = watch().observe(early);
		REQUIRE(names(seen.active) == Names{"early_idle_close"});
		CHECK(seen.active[0].at("severity") == "notice");
		CHECK(seen.active[0].at("evidence").at("idle_ms") <= most_idle_ms);
		CHECK(seen.active[0].at("peer").at("idle_timeout_ms") >= 1000.0);
		CHECK(seen.active[0].at("peer").at("observations") == 3);
		return true;
	});
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
	on_time([] {
		const Listener server;
		const bool taught = teach(server);
		const auto before_use = Clock::now();
		Connection soon = open_used(server);
		Connection late = open_used(server);
		stay_idle(milliseconds(600));
		exchange(soon);
		const double soon_ms = elapsed_ms(before_use, Clock::now());
		stay_idle(milliseconds(300));
		exchange(late);
		const double late_ms = elapsed_ms(before_use, Clock::now());
		if (!taught || soon_ms >= 700 || late_ms >= 1000) { // no near miss, and one
			return false;
		}
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
		const std::string limit =
			std::to_string(std::lround(half / 10) * 10) + " ms"; // to two digits
		CHECK(verdict.at("advice").get<std::string>().find(limit) != std::string::npos);
		CHECK(names(watch().about(soon.active_side)) == Names{});
		return true;
	});
}
