// SPDX-License-Identifier: Apache-2.0
// Segments that cross: what loopback alone cannot show, because it delivers at once.
#include "support/expect.hpp"
#include "support/sight.hpp"
#include "support/wire.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>

using namespace runtime;

namespace {

/// Bound to this port of the wire's near end.
Descriptor bound_socket(std::uint16_t port) {
	Descriptor fd(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	sockaddr_in place{};
	place.sin_family = AF_INET;
	place.sin_port = htons(port);
	inet_pton(AF_INET, Wire::near, &place.sin_addr);
	checked(bind(fd, reinterpret_cast<const sockaddr*>(&place), sizeof(place)), "bind");
	return fd;
}

void start_connecting(int fd, std::uint16_t port, const void* payload = nullptr,
                      std::size_t length = 0) {
	sockaddr_in place{};
	place.sin_family = AF_INET;
	place.sin_port = htons(port);
	inet_pton(AF_INET, Wire::far, &place.sin_addr);
	const auto* address = reinterpret_cast<const sockaddr*>(&place);
	if (length != 0) {
		checked(sendto(fd, payload, length, MSG_FASTOPEN, address, sizeof(place)), "MSG_FASTOPEN");
	} else if (connect(fd, address, sizeof(place)) < 0 && errno != EINPROGRESS) {
		checked(-1, "connect");
	}
}

void set_nonblocking(int fd) {
	checked(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
}

} // namespace

TEST_CASE("the FIN is on the wire when the request is written: a race", "[wire][race][guest]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	stay_idle();
	wired.wire.set(Towards::active, Handling::hold);
	connection.passive.close();
	wired.wire.wait_for_held(Towards::active, 1);
	send_all(connection.active, request);
	wired.wire.release(Towards::active);
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"reuse_race"});
	CHECK(names(seen.passive) == Names{});
	const Json& evidence = seen.active[0].at("evidence");
	CHECK(evidence.at("unacked_at_fin") == request.size());
	CHECK(evidence.count("bytes_after_fin") == 0);
	CHECK(seen.active[0].at("connection").at("role") == "active");
}

TEST_CASE("a request as long as a close_notify that crosses the last words is a race",
          "[wire][race]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	stay_idle();
	wired.wire.set(Towards::active, Handling::hold);
	send_all(connection.passive, std::string(24, 'x'));
	connection.passive.close();
	wired.wire.wait_for_held(Towards::active, 2);
	send_all(connection.active, std::string(24, 'r'));
	wired.wire.release(Towards::active);
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{sees(Sight::head) ? "reuse_race" : "farewell_write"});
	CHECK(seen.active[0].at("confidence") == (sees(Sight::head) ? "certain" : "likely"));
	CHECK(names(seen.passive) == Names{});
}

TEST_CASE("the FIN crosses the first request of all: unanswered, and nothing was reused",
          "[wire]") {
	WiredListener wired;
	Connection connection = wired.open();
	wired.wire.set(Towards::active, Handling::hold);
	connection.passive.close();
	wired.wire.wait_for_held(Towards::active, 1);
	send_all(connection.active, request);
	wired.wire.release(Towards::active);
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"unanswered_close"});
	CHECK(seen.active[0].at("confidence") == "likely");
	CHECK(seen.active[0].at("evidence").at("unacked_at_fin") == request.size());
	CHECK(names(seen.passive) == Names{});
}

TEST_CASE("both ends send their FIN before they see the other's", "[wire]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	stay_idle();
	wired.wire.set(Towards::active, Handling::hold);
	wired.wire.set(Towards::passive, Handling::hold);
	shut_down_writing(connection.passive);
	shut_down_writing(connection.active);
	wired.wire.wait_for_held(Towards::active, 1);
	wired.wire.wait_for_held(Towards::passive, 1);
	wired.wire.release(Towards::active);
	wait_for_state(connection.active, TCP_CLOSING);
	wired.wire.release(Towards::passive);
	wait_for_state(connection.active, TCP_CLOSE);
	close_both(connection);

	check_verdicts(connection, {}, {});
}

TEST_CASE("both ends close at once", "[wire]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	stay_idle();
	wired.wire.set(Towards::active, Handling::hold);
	wired.wire.set(Towards::passive, Handling::hold);
	close_both(connection);
	wired.wire.wait_for_held(Towards::active, 1);
	wired.wire.wait_for_held(Towards::passive, 1);
	wired.wire.release(Towards::active);
	wired.wire.release(Towards::passive);

	check_verdicts(connection, {}, {});
}

TEST_CASE("simultaneous open: both ends are active", "[wire][guest]") {
	Wire wire;
	constexpr std::uint16_t one_port = 31001;
	constexpr std::uint16_t other_port = 31002;
	wire.serve(other_port);
	wire.set(Towards::active, Handling::hold);
	wire.set(Towards::passive, Handling::hold);
	Connection connection;
	connection.active = bound_socket(one_port);
	connection.passive = bound_socket(other_port);
	for (const int fd :
	     {static_cast<int>(connection.active), static_cast<int>(connection.passive)}) {
		set_nonblocking(fd);
	}
	start_connecting(connection.active, other_port);
	start_connecting(connection.passive, one_port);
	wire.wait_for_held(Towards::active, 1);
	wire.wait_for_held(Towards::passive, 1);
	wire.release(Towards::active);
	wait_for_state(connection.active, TCP_SYN_RECV);
	wire.release(Towards::passive);
	wait_for_state(connection.active, TCP_ESTABLISHED);
	wait_for_state(connection.passive, TCP_ESTABLISHED);
	connection.active_side = side_of(connection.active);
	connection.passive_side = side_of(connection.passive);
	stay_idle();
	close_passive(connection);
	send_all(connection.active, request);
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close", "stale_reuse"});
	CHECK(names(seen.passive) == Names{});
	CHECK(seen.active[1].at("connection").at("role") == "active");
}

TEST_CASE("the FIN completes the handshake: SYN_RECV, ESTABLISHED, CLOSE_WAIT at once",
          "[wire][guest]") {
	WiredListener wired;
	Connection connection;
	wired.wire.set(Towards::passive, Handling::deliver);
	connection.active =
		Descriptor(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	wired.wire.set(Towards::active, Handling::hold);
	set_nonblocking(connection.active);
	start_connecting(connection.active, wired.listener.port());
	wired.wire.wait_for_held(Towards::active, 1);
	wired.wire.set(Towards::passive, Handling::hold);
	wired.wire.release(Towards::active);
	wait_for_state(connection.active, TCP_ESTABLISHED);
	wired.wire.wait_for_held(Towards::passive, 1);
	wired.wire.discard(Towards::passive);
	shut_down_writing(connection.active);
	wired.wire.wait_for_held(Towards::passive, 1);
	wired.wire.release(Towards::passive);
	connection.passive = wired.listener.accept();
	connection.active_side = side_of(connection.active);
	connection.passive_side = side_of(connection.passive);
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	send_all(connection.passive, response);
	wait_until_acknowledged(connection.passive);
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"half_close_response"});
	CHECK(seen.passive[0].at("connection").at("role") == "passive");
	CHECK(seen.passive[0].at("evidence").at("bytes_after_fin") == response.size());
}

TEST_CASE("Fast Open: answered and closed before the handshake is over", "[wire]") {
	WiredListener wired;
	const int queue = 5;
	checked(setsockopt(wired.listener.fd(), IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)),
	        "TCP_FASTOPEN");
	Connection connection;
	connection.active =
		Descriptor(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	set_nonblocking(connection.active);
	wired.wire.set(Towards::active, Handling::hold);
	start_connecting(connection.active, wired.listener.port(), request.data(), request.size());
	connection.passive = wired.listener.accept();
	connection.passive_side = side_of(connection.passive);
	REQUIRE(state_of(connection.passive) == TCP_SYN_RECV);
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	connection.passive.close();
	wired.wire.release(Towards::active);
	wait_for_state(connection.active, TCP_CLOSE_WAIT);
	connection.active_side = side_of(connection.active);
	receive_exactly(connection.active, response.size());
	connection.active.close();

	check_verdicts(connection, {"limit_close"}, {});
}

TEST_CASE("LAST_ACK is ended by an RST", "[wire]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	stay_idle();
	half_close_passive(connection);
	wired.wire.set(Towards::passive, Handling::hold);
	connection.active.close();
	wired.wire.wait_for_held(Towards::passive, 1);
	abort_connection(connection.passive);

	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("a request is lost and the user timeout ends the connection", "[wire][timeout]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	const unsigned limit_ms = 300;
	checked(
		setsockopt(connection.active, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms)),
		"TCP_USER_TIMEOUT");
	stay_idle();
	wired.wire.set(Towards::passive, Handling::drop);
	send_all(connection.active, request);
	wait_for_state(connection.active, TCP_CLOSE);
	wired.wire.set(Towards::passive, Handling::deliver);
	close_both(connection);

	check_verdicts(connection, {"peer_unresponsive"}, {});
}

TEST_CASE("keepalive probes find nobody", "[wire][timeout]") {
	WiredListener wired;
	Connection connection = wired.open();
	exchange(connection);
	const int on = 1;
	checked(setsockopt(connection.active, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)),
	        "SO_KEEPALIVE");
	for (const int option : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
		checked(setsockopt(connection.active, IPPROTO_TCP, option, &on, sizeof(on)), "keepalive");
	}
	wired.wire.set(Towards::passive, Handling::drop);
	wait_for_state(connection.active, TCP_CLOSE);
	wired.wire.set(Towards::passive, Handling::deliver);
	close_both(connection);

	check_verdicts(connection, {"peer_unresponsive"}, {});
}
