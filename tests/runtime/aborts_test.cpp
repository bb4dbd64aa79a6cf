// SPDX-License-Identifier: Apache-2.0
// Every way a connection ends with an RST, and who sent it.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

using namespace runtime;

namespace {

void disconnect(int fd) {
	sockaddr nowhere{};
	nowhere.sa_family = AF_UNSPEC;
	checked(connect(fd, &nowhere, sizeof(nowhere)), "connect(AF_UNSPEC)");
}

Connection open_unaccepted(const Listener& listener) {
	Connection connection;
	connection.active = listener.connect();
	connection.active_side = side_of(connection.active);
	connection.passive_side = reversed(connection.active_side);
	return connection;
}

std::string port_in(const std::string& endpoint) {
	return endpoint.substr(endpoint.rfind(':') + 1);
}

/// Aborts one side with ss -K; whether this kernel and this ss can.
bool kill_socket(const Side& side) {
	const Result result = run({"ss", "-tHK", "sport", "=", ":" + port_in(side.local), "and",
	                           "dport", "=", ":" + port_in(side.remote)});
	return result.code == 0 && result.output.find("ESTAB") != std::string::npos;
}

} // namespace

TEST_CASE("the peer aborts an idle connection", "[aborts][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	abort_connection(connection.passive);
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close"});
	CHECK(seen.active[0].at("evidence").at("rst_received") == true);
	CHECK(seen.active[0].at("evidence").at("idle_ms") >= 150.0);
	CHECK(names(seen.passive) == Names{});
}

TEST_CASE("the peer closes without having read a reused connection's request", "[aborts][race]") {
	Connection connection = open_used_connection();
	stay_idle();
	send_all(connection.active, request);
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"reuse_race"});
	CHECK(seen.active[0].at("evidence").at("rst_received") == true);
	CHECK(names(seen.passive) == Names{}); // the client's verdict tells
}

TEST_CASE("the peer resets on the first request: unanswered, and nothing was reused", "[aborts]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"unanswered_close"});
	CHECK(seen.active[0].at("confidence") == "likely");
	CHECK(seen.active[0].at("evidence").at("rst_received") == true);
	CHECK(names(seen.passive) == Names{}); // the client's verdict tells
}

TEST_CASE("an RST follows the FIN while nobody writes", "[aborts]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	abort_connection(connection.passive);
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("a write after that RST is refused: nothing was reused", "[aborts][late]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	abort_connection(connection.passive);
	wait_for_state(connection.active, TCP_CLOSE);
	CHECK(send(connection.active, "x", 1, MSG_NOSIGNAL) == -1);
	CHECK(errno == EPIPE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"idle_close"});
}

TEST_CASE("the connection is refused", "[aborts]") {
	std::uint16_t port = 0;
	{
		const Listener gone;
		port = gone.port();
	}
	const Descriptor active(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	sockaddr_in place{};
	place.sin_family = AF_INET;
	place.sin_port = htons(port);
	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(connect(active, reinterpret_cast<const sockaddr*>(&place), sizeof(place)) == -1);
	CHECK(errno == ECONNREFUSED);
	const std::size_t before = watch().verdicts().size();
	watch().settle();
	for (std::size_t i = before; i < watch().verdicts().size(); ++i) {
		const std::string remote = watch().verdicts()[i].at("connection").at("remote");
		CHECK(remote != "127.0.0.1:" + std::to_string(port));
	}
}

TEST_CASE("we close with unread bytes", "[aborts][guest]") {
	Connection connection = open_used_connection();
	send_all(connection.passive, "unasked");
	wait_until_acknowledged(connection.passive);
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE);
	connection.passive.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"dirty_close"});
	CHECK(names(seen.passive) == Names{});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("severity") == "warning");
	CHECK(verdict.at("evidence").at("unread_bytes") == 7);
	CHECK(verdict.at("owner").at("pid") == getpid());
	CHECK(verdict.at("owner").at("command") == own_command());
	CHECK(verdict.at("owner").at("source") == "close");
	CHECK(verdict.at("connection").at("state") == "CLOSE");
}

TEST_CASE("we exit with unread bytes", "[aborts][owner]") {
	const Listener listener;
	Fork child([&] {
		const Descriptor active = listener.connect();
		char byte = 0;
		return recv(active, &byte, 1, MSG_PEEK) == 1 ? 7 : 1;
	});
	Connection connection;
	connection.passive = listener.accept();
	connection.passive_side = side_of(connection.passive);
	connection.active_side = reversed(connection.passive_side);
	send_all(connection.passive, response);
	const pid_t pid = child.pid();
	REQUIRE(child.wait() == 7);
	connection.passive.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"dirty_close"});
	CHECK(names(seen.passive) == Names{});
	CHECK(seen.active[0].at("evidence").at("unread_bytes") == response.size());
	CHECK(seen.active[0].at("owner").at("pid") == pid);
}

TEST_CASE("we close with unread bytes after the peer's FIN", "[aborts]") {
	Connection connection = open_used_connection();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	close_passive(connection);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"limit_close", "dirty_close"});
	CHECK(names(seen.passive) == Names{});
	CHECK(seen.active[1].at("evidence").at("unread_bytes") == response.size());
}

TEST_CASE("we read all but the FIN and close: clean", "[aborts]") {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"idle_close"});
}

TEST_CASE("the server closes with unread bytes after the client's FIN", "[aborts]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	shut_down_writing(connection.active);
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"dirty_close"});
	CHECK(seen.passive[0].at("evidence").at("unread_bytes") == request.size());
}

TEST_CASE("we abort on purpose", "[aborts]") {
	Connection connection = open_used_connection();
	stay_idle();
	abort_connection(connection.active);
	wait_for_state(connection.passive, TCP_CLOSE);
	connection.passive.close();

	check_verdicts(connection, {}, {});
}

TEST_CASE("we abort on purpose after the peer's FIN", "[aborts]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	abort_connection(connection.active);
	wait_for_state(connection.passive, TCP_CLOSE);
	connection.passive.close();

	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("connect(AF_UNSPEC) takes the connection apart", "[aborts]") {
	Connection connection = open_used_connection();
	disconnect(connection.active);
	wait_for_state(connection.passive, TCP_CLOSE);
	close_both(connection);

	check_verdicts(connection, {}, {});
}

TEST_CASE("a socket is used again after connect(AF_UNSPEC)", "[aborts][late]") {
	const bool eof_was_read = GENERATE(false, true); // then something was kept about the first one
	const Listener listener;
	Connection first = listener.open();
	exchange(first);
	stay_idle();
	close_passive(first);
	if (eof_was_read) {
		char byte = 0;
		REQUIRE(recv(first.active, &byte, 1, 0) == 0);
	}
	disconnect(first.active);
	sockaddr_in place{};
	place.sin_family = AF_INET;
	place.sin_port = htons(listener.port());
	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	checked(connect(first.active, reinterpret_cast<const sockaddr*>(&place), sizeof(place)),
	        "connect");
	Connection second;
	second.active = std::move(first.active);
	second.passive = listener.accept();
	second.active_side = side_of(second.active);
	second.passive_side = side_of(second.passive);
	exchange(second);
	stay_idle();
	close_passive(second);
	send_all(second.active, request);
	second.active.close();

	REQUIRE(second.active_side != first.active_side);
	CHECK(names(watch().observe(first).active) == Names{"idle_close"});
	const Seen seen = watch().about(second);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == request.size());
	check_field(seen.active[1].at("evidence"), "eof_read", false, Sight::eof);
}

TEST_CASE("the listener goes before it has accepted", "[aborts]") {
	Listener listener;
	Connection connection = open_unaccepted(listener);
	listener.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	check_verdicts(connection, {}, {});
}

TEST_CASE("the listener goes while a request waits to be accepted", "[aborts]") {
	Listener listener;
	Connection connection = open_unaccepted(listener);
	send_all(connection.active, request);
	listener.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	check_verdicts(connection, {"unanswered_close"}, {});
}

TEST_CASE("an administrator kills the client's socket", "[aborts]") {
	Connection connection = open_used_connection();
	stay_idle();
	if (!kill_socket(connection.active_side)) {
		return skip("this kernel or this ss has no SOCK_DESTROY");
	}
	wait_for_state(connection.passive, TCP_CLOSE);
	close_both(connection);
	check_verdicts(connection, {}, {});
}

TEST_CASE("an administrator kills the server's socket", "[aborts]") {
	Connection connection = open_used_connection();
	stay_idle();
	if (!kill_socket(connection.passive_side)) {
		return skip("this kernel or this ss has no SOCK_DESTROY");
	}
	wait_for_state(connection.active, TCP_CLOSE);
	close_both(connection);
	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("the peer's window stays shut until the user timeout", "[aborts][timeout]") {
	Connection connection = open_connection();
	const unsigned limit_ms = 300;
	checked(
		setsockopt(connection.active, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms)),
		"TCP_USER_TIMEOUT");
	const std::string bulk(1U << 20, 'x');
	while (send(connection.active, bulk.data(), bulk.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
	}
	wait_for_state(connection.active, TCP_CLOSE);
	close_both(connection);

	check_verdicts(connection, {"peer_unresponsive"}, {"dirty_close"});
}
