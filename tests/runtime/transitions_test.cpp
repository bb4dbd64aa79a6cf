// SPDX-License-Identifier: Apache-2.0
// Every way a connection ends without an RST, from both ends.
#include "support/expect.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace runtime;

TEST_CASE("the peer closes an idle connection and we follow", "[transitions][guest]") {
	const auto before_use = Clock::now();
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	const double most_idle_ms = elapsed_ms(before_use, Clock::now());
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"idle_close"});
	CHECK(names(seen.passive) == Names{});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("severity") == "info");
	CHECK(verdict.at("confidence") == "certain");
	CHECK(verdict.at("evidence").at("idle_ms") >= static_cast<double>(idle_gap.count()));
	CHECK(verdict.at("evidence").at("idle_ms") <= most_idle_ms);
	CHECK(verdict.at("evidence").at("bytes_sent") == request.size());
	CHECK(verdict.at("evidence").at("bytes_received") == response.size());
	CHECK(verdict.at("owner").at("pid") == getpid());
	CHECK(verdict.at("owner").at("command") == own_command());
	CHECK(verdict.at("owner").at("source") == "connect");
}

TEST_CASE("the peer closes with its response", "[transitions][guest]") {
	Connection connection = open_used_connection();
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"limit_close"}, {});
}

TEST_CASE("the peer says something unasked as it closes an idle connection",
          "[transitions][last-words]") {
	const bool one_segment = GENERATE(true, false);
	INFO((one_segment ? "with" : "before") << " the FIN");
	Connection connection = open_used_connection();
	stay_idle();
	send_last_words(connection.passive, "bye\r\n", one_segment);
	close_passive(connection);
	receive_exactly(connection.active, 5);
	connection.active.close();
	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("the peer reads the request and closes without an answer", "[transitions][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"unanswered_close"}, {});
}

TEST_CASE("the peer reads the first request of all and closes", "[transitions]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"unanswered_close"}, {});
}

TEST_CASE("the peer closes a connection that was never used", "[transitions]") {
	Connection connection = open_connection();
	stay_idle();
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("the peer closes as soon as it has accepted", "[transitions]") {
	Connection connection = open_connection();
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("we close, then the peer", "[transitions][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	connection.passive.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("we shut down writing, the peer closes without a word", "[transitions]") {
	Connection connection = open_used_connection();
	shut_down_writing(connection.active);
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("we shut down both directions", "[transitions][guest]") {
	Connection connection = open_used_connection();
	checked(shutdown(connection.active, SHUT_RDWR), "shutdown");
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	connection.passive.close();
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("we shut down reading only: not a FIN of the peer", "[transitions][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	checked(shutdown(connection.active, SHUT_RD), "shutdown");
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	connection.passive.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("shutdown, then close: FIN_WAIT2 is left without a FIN of the peer",
          "[transitions][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	shut_down_writing(connection.active);
	wait_for_state(connection.active, TCP_FIN_WAIT2);
	connection.active.close();
	connection.passive.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("an orphan in FIN_WAIT2 whose time is up", "[transitions]") {
	Connection connection = open_used_connection();
	const int at_once = -1;
	checked(setsockopt(connection.active, IPPROTO_TCP, TCP_LINGER2, &at_once, sizeof(at_once)),
	        "TCP_LINGER2");
	shut_down_writing(connection.active);
	wait_for_state(connection.active, TCP_FIN_WAIT2);
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE);
	connection.passive.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("the FIN is there before accept", "[transitions][guest]") {
	const Listener listener;
	Connection connection;
	connection.active = listener.connect();
	connection.active_side = side_of(connection.active);
	connection.passive_side = reversed(connection.active_side);
	send_all(connection.active, request);
	shut_down_writing(connection.active);
	connection.passive = listener.accept();
	receive_exactly(connection.passive, request.size());
	send_all(connection.passive, response);
	wait_until_acknowledged(connection.passive);
	connection.passive.close();
	receive_exactly(connection.active, response.size());
	connection.active.close();
	check_verdicts(connection, {}, {"half_close_response"});
}

TEST_CASE("the client is gone before accept", "[transitions]") {
	const Listener listener;
	Connection connection;
	connection.active = listener.connect();
	connection.active_side = side_of(connection.active);
	connection.passive_side = reversed(connection.active_side);
	connection.active.close();
	connection.passive = listener.accept();
	CHECK(reads_eof(connection.passive));
	connection.passive.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("a socket connected to itself", "[transitions][guest]") {
	Connection connection;
	connection.active =
		Descriptor(checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
	sockaddr_in place{};
	socklen_t length = sizeof(place);
	place.sin_family = AF_INET;
	place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	auto* address = reinterpret_cast<sockaddr*>(&place);
	checked(bind(connection.active, address, sizeof(place)), "bind");
	checked(getsockname(connection.active, address, &length), "getsockname");
	checked(connect(connection.active, address, sizeof(place)), "connect");
	connection.active_side = side_of(connection.active);
	send_all(connection.active, request);
	receive_exactly(connection.active, request.size());
	stay_idle();
	connection.active.close();
	check_verdicts(connection, {}, {});
}

TEST_CASE("a plain life: the client closes after its answer", "[transitions]") {
	Connection connection = open_used_connection();
	connection.active.close();
	CHECK(reads_eof(connection.passive));
	connection.passive.close();
	check_verdicts(connection, {}, {});
}
