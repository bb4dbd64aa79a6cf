// SPDX-License-Identifier: Apache-2.0
// Nobody closed: an application that forgets, a peer that does not answer, a path that has forgotten.
#include "support/expect.hpp"
#include "support/firewall.hpp"
#include "support/sight.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace runtime;

namespace {

/// A watch that does not wait for a minute.
Arguments quick_limits() {
	return {"--close-wait", "1", "--dirty-idle", "1"};
}

void set_option(int fd, int level, int name, int value) {
	checked(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

/// Probes after `idle` seconds of silence, every second, `count` times.
void keep_alive(int fd, int idle, int count) {
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
}

const Json& evidence_of(const Json& verdict) {
	return verdict.at("evidence");
}

} // namespace

TEST_CASE("the application does not close after the peer's FIN", "[silence][guest]") {
	Watch watch(quick_limits());
	Connection first = open_used_connection();
	Connection second = open_used_connection();
	set_option(second.active, SOL_SOCKET, SO_RCVLOWAT, 1);
	send_all(second.passive, "rest");
	half_close_passive(first);
	half_close_passive(second);
	CHECK(reads_eof(first.active));
	watch.wait_for(first.active_side, "close_wait_leak");
	watch.wait_for(second.active_side, "close_wait_leak");

	const Json leak = watch.about(first.active_side).back();
	CHECK(leak.at("confidence") == "certain");
	CHECK(evidence_of(leak).at("close_wait_ms") >= 1000.0);
	CHECK(evidence_of(leak).at("unread_bytes") == 0);
	CHECK(evidence_of(leak).at("eof_read") == true);
	CHECK(leak.at("owner").at("pid") == getpid());
	const Json dirty = watch.about(second.active_side).back();
	CHECK(evidence_of(dirty).at("unread_bytes") == 4);
	CHECK(evidence_of(dirty).at("eof_read") == false);
	// The server's end is what it should be, and nobody says more than once that ours is not.
	close_both(first);
	close_both(second);
	watch.settle();
	CHECK(names(watch.about(first.active_side)) == Names{"limit_close", "close_wait_leak"});
	CHECK(names(watch.about(first.passive_side)) == Names{});
}

TEST_CASE("a server that forgets its clients leaks too, and the leaks are counted", "[silence]") {
	Watch watch(quick_limits());
	const Listener listener;
	std::vector<Connection> connections;
	for (int i = 0; i < 3; i++) {
		connections.push_back(listener.open());
		exchange(connections.back());
		shut_down_writing(connections.back().active);
	}
	// Those that one scan finds are one line, about the first of them.
	std::uint64_t most = 0;
	std::size_t lines = 0;
	watch.wait_until([&] {
		lines = 0;
		for (const Connection& connection : connections) {
			for (const Json& leak : watch.about(connection.passive_side)) {
				CHECK(leak.at("verdict") == "close_wait_leak");
				most =
					std::max(most, evidence_of(leak).at("leaked_connections").get<std::uint64_t>());
				lines++;
			}
		}
		return most == connections.size();
	});
	CHECK(most == connections.size());
	CHECK(lines < connections.size());
	for (Connection& connection : connections) {
		close_both(connection);
	}
}

TEST_CASE("a pooled connection lies idle with bytes unread", "[silence]") {
	Watch watch(quick_limits());
	Connection dirty = open_used_connection();
	Connection clean = open_used_connection();
	send_all(dirty.passive, "extra");
	watch.wait_for(dirty.active_side, "dirty_idle");
	const Json verdict = watch.about(dirty.active_side).back();
	CHECK(verdict.at("severity") == "warning");
	CHECK(evidence_of(verdict).at("unread_bytes") == 5);
	CHECK(evidence_of(verdict).at("receive_age_ms") >= 1000.0);

	const Verdicts about_clean = watch.about(clean.active_side);
	CHECK(names(about_clean) == Names{});
	CHECK(names(watch.about(dirty.passive_side)) == Names{});
	close_both(dirty);
	close_both(clean);
}

TEST_CASE("the path forgets an idle connection: the next write vanishes", "[silence][firewall]") {
	Firewall firewall;
	Connection connection = open_used_connection();
	stay_idle(milliseconds(1500));
	firewall.drop(connection.active_side);
	send_all(connection.active, request);
	watch().wait_for(connection.active_side, "silent_drop");
	firewall.lift();

	const Json verdict = watch().about(connection.active_side).back();
	CHECK(verdict.at("confidence") == "likely");
	CHECK(evidence_of(verdict).at("gap_ms") >= 1400.0);
	CHECK(evidence_of(verdict).at("idle_ms") >= 1000.0);
	CHECK(evidence_of(verdict).at("retransmits") >= 2);
	CHECK_FALSE(evidence_of(verdict).contains("rst_received"));
	close_both(connection);
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"silent_drop"});
}

TEST_CASE("the path forgets an idle connection: the next write is reset",
          "[silence][firewall][guest]") {
	Firewall firewall;
	Connection connection = open_used_connection();
	stay_idle(milliseconds(1500));
	firewall.reset(connection.active_side);
	send_all(connection.active, request);
	wait_for_state(connection.active, TCP_CLOSE);
	firewall.lift();
	close_both(connection);

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"silent_drop"});
	CHECK(seen.active[0].at("confidence") == "likely");
	CHECK(evidence_of(seen.active[0]).at("rst_received") == true);
	CHECK(evidence_of(seen.active[0]).at("gap_ms") >= 1400.0);
}

TEST_CASE("packets are lost in the middle of a conversation: nothing was forgotten",
          "[silence][firewall]") {
	Firewall firewall;
	Connection connection = open_used_connection();
	firewall.drop(connection.active_side);
	send_all(connection.active, request);
	wait_for_retransmissions(connection.active, 3);
	firewall.lift();
	CHECK(receive_exactly(connection.passive, request.size()) == request);
	send_all(connection.passive, response);
	CHECK(receive_exactly(connection.active, response.size()) == response);
	close_both(connection);
	check_verdicts(connection, {}, {});
}

TEST_CASE("a write after a long silence is answered late, but answered", "[silence][firewall]") {
	Firewall firewall;
	Connection connection = open_used_connection();
	stay_idle(milliseconds(1500));
	firewall.drop(connection.active_side);
	send_all(connection.active, request);
	wait_for_retransmissions(connection.active, 1);
	firewall.lift();
	CHECK(receive_exactly(connection.passive, request.size()) == request);
	send_all(connection.passive, response);
	CHECK(receive_exactly(connection.active, response.size()) == response);
	close_both(connection);
	check_verdicts(connection, {}, {});
}

TEST_CASE("keepalive probes are not answered", "[silence][firewall]") {
	Firewall firewall;
	Connection connection = open_used_connection();
	firewall.drop(connection.active_side);
	keep_alive(connection.active, 1, 2);
	wait_for_state(connection.active, TCP_CLOSE);
	firewall.lift();
	close_both(connection);

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"peer_unresponsive"});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("confidence") == "certain");
	CHECK(evidence_of(verdict).at("timeout") == "keepalive");
	CHECK(evidence_of(verdict).at("keepalive_probes") == 2);
	CHECK(evidence_of(verdict).at("keepalive_idle_ms") == 1000.0);
}

TEST_CASE("a user timeout passes without an acknowledgement", "[silence][firewall]") {
	Firewall firewall;
	Connection connection = open_used_connection();
	firewall.drop(connection.active_side);
	set_option(connection.active, IPPROTO_TCP, TCP_USER_TIMEOUT, 500);
	send_all(connection.active, request);
	wait_for_state(connection.active, TCP_CLOSE);
	firewall.lift();
	close_both(connection);

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"peer_unresponsive"});
	CHECK(evidence_of(seen.active[0]).at("timeout") == "user_timeout");
}

TEST_CASE("probes keep a connection alive, and the server closes it all the same",
          "[silence][guest]") {
	Connection connection = open_used_connection();
	keep_alive(connection.active, 1, 5);
	stay_idle(milliseconds(2600)); // two probes, the first of them answered before the second
	close_passive(connection);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "keepalive_ineffective"});
	const Json& verdict = seen.active[1];
	CHECK(verdict.at("severity") == "notice");
	CHECK(verdict.at("confidence") == "certain");
	CHECK(evidence_of(verdict).at("keepalive_probes") == 2);
	CHECK(evidence_of(verdict).at("keepalive_idle_ms") == 1000.0);
}
