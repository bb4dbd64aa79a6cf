// SPDX-License-Identifier: Apache-2.0
// Sockets that are older than the watch.
#include "support/catch.hpp"
#include "support/sight.hpp"
#include "support/watch.hpp"

#include <sys/socket.h>
#include <unistd.h>

using namespace runtime;

TEST_CASE("a late write on a socket that was in CLOSE_WAIT before the watch",
          "[inventory][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	Watch later;
	send_all(connection.active, request);

	const Seen seen = later.observe(connection);
	CHECK(names(seen.passive) == Names{});
	REQUIRE(names(seen.active) == Names{"stale_reuse"});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("confidence") != "certain");
	CHECK(verdict.at("connection").at("role") == "active");
	CHECK(verdict.at("connection").count("age_ms") == 0);
	CHECK(verdict.at("evidence").at("bytes_after_fin") == request.size());
	CHECK(verdict.at("evidence").at("rst_received") == true);
	check_writer(verdict, getpid(), own_command());
	CHECK(later.stop() == 0);
	CHECK(names(watch().observe(connection).active) == Names{"idle_close", "stale_reuse"});
}

TEST_CASE("a late write on a socket that was established before the watch", "[inventory]") {
	Connection connection = open_used_connection();
	const auto last_use = Clock::now();
	Watch later;
	stay_idle();
	const auto before_fin = Clock::now();
	close_passive(connection);
	send_all(connection.active, request);

	const Seen seen = later.observe(connection);
	CHECK(names(seen.passive) == Names{});
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(seen.active[0].at("evidence").at("idle_ms") >= elapsed_ms(last_use, before_fin) - 0.11);
	CHECK(seen.active[0].at("owner").at("pid") == getpid());
	CHECK(seen.active[0].at("owner").at("source") == "scan");
	const Json& verdict = seen.active[1];
	CHECK(verdict.at("confidence") != "possible");
	CHECK(verdict.at("connection").at("role") == "active");
	CHECK(verdict.at("connection").count("age_ms") == 0);
	CHECK(verdict.at("evidence").at("bytes_after_fin") == request.size());
	CHECK(verdict.at("evidence").contains("fin_to_write_ms") == sees(Sight::time));
	check_writer(verdict, getpid(), own_command());
	CHECK(later.stop() == 0);
}

TEST_CASE("a server's answer on a socket that was half-closed before the watch", "[inventory]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	shut_down_writing(connection.active);
	receive_exactly(connection.passive, request.size());
	Watch later;
	send_all(connection.passive, response);
	wait_until_acknowledged(connection.passive);
	connection.passive.close();
	receive_exactly(connection.active, response.size());
	connection.active.close();

	const Seen seen = later.observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"half_close_response"});
	CHECK(seen.passive[0].at("connection").at("role") == "passive");
	CHECK(later.stop() == 0);
}

TEST_CASE("bytes written after the FIN but before the watch are not counted", "[inventory]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	send_all(connection.active, request);
	Watch later;
	send_all(connection.active, "12345");
	CHECK(reads_eof(connection.active)); // it waits for an answer

	const Seen seen = later.observe(connection);
	REQUIRE(names(seen.active) == Names{"stale_reuse"});
	CHECK(seen.active[0].at("evidence").at("bytes_after_fin") == 5);
	CHECK(later.stop() == 0);
}

TEST_CASE("old sockets that end cleanly give nothing", "[inventory]") {
	Connection waiting = open_used_connection();
	Connection established = open_used_connection();
	stay_idle();
	close_passive(waiting);
	Watch later;
	close_both(waiting);
	established.active.close();
	established.passive.close();

	CHECK(names(later.observe(waiting).active) == Names{});
	CHECK(names(later.about(waiting).passive) == Names{});
	CHECK(names(later.about(established).active) == Names{});
	CHECK(names(later.about(established).passive) == Names{});
	CHECK(later.stop() == 0);
}
