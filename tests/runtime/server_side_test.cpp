// SPDX-License-Identifier: Apache-2.0
// Answers after a FIN: legitimate, abandoned, or earlier than the client expected.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace runtime;

namespace {

/// The client has sent its request and its FIN; the server has read the request.
Connection half_closed_by_client() {
	Connection connection = open_connection();
	send_all(connection.active, request);
	shut_down_writing(connection.active);
	receive_exactly(connection.passive, request.size());
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	return connection;
}

/// The server has read a little of an upload, answered and stopped sending, while the client has
/// more to send and reads nothing.
Connection upload_answered_early() {
	Connection connection = open_connection();
	send_all(connection.active, std::string(2000, 'u'));
	receive_exactly(connection.passive, 2000);
	send_all(connection.passive, response);
	return connection;
}

} // namespace

TEST_CASE("the server answers after the client's SHUT_WR", "[server][guest]") {
	Connection connection = half_closed_by_client();
	stay_idle(milliseconds(20));
	send_all(connection.passive, response);
	wait_until_acknowledged(connection.passive);
	connection.passive.close();
	receive_exactly(connection.active, response.size());
	CHECK(reads_eof(connection.active));
	connection.active.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"half_close_response"});
	const Json& verdict = seen.passive[0];
	CHECK(verdict.at("severity") == "info");
	CHECK(verdict.at("connection").at("role") == "passive");
	CHECK(verdict.at("evidence").at("bytes_after_fin") == response.size());
	CHECK(verdict.at("evidence").at("rst_received") == false);
	check_writer(verdict, getpid(), own_command());
	check_confidence(verdict, "certain");
	REQUIRE(verdict.at("evidence").contains("fin_to_write_ms") == sees(Sight::time));
	CHECK((!sees(Sight::time) || verdict.at("evidence").at("fin_to_write_ms") >= 20.0));
}

TEST_CASE("the server answers in parts after the client's SHUT_WR", "[server]") {
	Connection connection = half_closed_by_client();
	for (int i = 0; i < 7; ++i) {
		send_all(connection.passive, response);
	}
	wait_until_acknowledged(connection.passive);
	connection.passive.close();
	receive_exactly(connection.active, 7 * response.size());
	connection.active.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"half_close_response"});
	CHECK(seen.passive[0].at("evidence").at("bytes_after_fin") == 7 * response.size());
}

TEST_CASE("the server answers slowly after the client's SHUT_WR", "[server]") {
	Connection connection = half_closed_by_client();
	for (int i = 0; i < 3; ++i) {
		send_all(connection.passive, response);
		watch().settle();
	}
	connection.passive.close();
	receive_exactly(connection.active, 3 * response.size());
	connection.active.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"half_close_response"});
}

TEST_CASE("the server answers a client that has closed", "[server]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	send_all(connection.passive, response);
	wait_for_state(connection.passive, TCP_CLOSE);
	CHECK(send(connection.passive, "x", 1, MSG_NOSIGNAL) == -1);
	connection.passive.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{});
	REQUIRE(names(seen.passive) == Names{"abandoned_response"});
	const Json& verdict = seen.passive[0];
	CHECK(verdict.at("severity") == "notice");
	CHECK(verdict.at("evidence").at("rst_received") == true);
	CHECK(verdict.at("evidence").at("bytes_after_fin") == response.size());
}

TEST_CASE("the server answers a client that has shut down both directions", "[server]") {
	Connection connection = open_connection();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	stay_idle();
	checked(shutdown(connection.active, SHUT_RDWR), "shutdown");
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	send_all(connection.passive, response);
	wait_for_state(connection.passive, TCP_CLOSE);
	close_both(connection);

	check_verdicts(connection, {}, {"abandoned_response"});
}

TEST_CASE("the server answers a client that has half-closed and then gone", "[server]") {
	Connection connection = half_closed_by_client();
	wait_for_state(connection.active, TCP_FIN_WAIT2);
	connection.active.close();
	send_all(connection.passive, response);
	wait_for_state(connection.passive, TCP_CLOSE);
	connection.passive.close();

	check_verdicts(connection, {}, {"abandoned_response"});
}

TEST_CASE("an upload is answered early and the server reads on", "[server][early]") {
	Connection connection = upload_answered_early();
	half_close_passive(connection);
	const std::string rest(20'000, 'u');
	for (int i = 0; i < 3; ++i) {
		send_all(connection.active, rest);
		receive_exactly(connection.passive, rest.size());
	}
	receive_exactly(connection.active, response.size());
	connection.active.close();
	connection.passive.close();

	const Seen seen = watch().observe(connection);
	CHECK(names(seen.passive) == Names{});
	// Where only scans see writes, and none came in between, it looks like a reuse after the answer was read.
	if (!sees(Sight::time) && names(seen.active) != Names{"early_response"}) {
		REQUIRE(names(seen.active) == Names{"limit_close", "stale_reuse"});
		CHECK(seen.active[1].at("confidence") == "possible");
		return;
	}
	REQUIRE(names(seen.active) == Names{"early_response"});
	CHECK(seen.active[0].at("severity") == "info");
	CHECK(seen.active[0].at("evidence").at("rst_received") == false);
}

TEST_CASE("an upload is answered early and the rest draws an RST", "[server][early]") {
	Connection connection = upload_answered_early();
	close_passive(connection);
	send_all(connection.active, std::string(2000, 'u'));
	wait_for_state(connection.active, TCP_CLOSE);
	connection.active.close();

	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{"early_response"});
	CHECK(names(seen.passive) == Names{});
	CHECK(seen.active[0].at("evidence").at("rst_received") == true);
}

TEST_CASE("the answer to an upload is read, with the end of file, before the rest is sent",
          "[server][early]") {
	Connection connection = upload_answered_early();
	receive_exactly(connection.active, response.size());
	half_close_passive(connection);
	CHECK(reads_eof(connection.active));
	const bool new_request = GENERATE(false, true);
	const std::string bytes =
		new_request ? "POST /once-more HTTP/1.1\r\n\r\n" : std::string(2000, 'u');
	send_all(connection.active, bytes);
	receive_exactly(connection.passive, bytes.size());
	close_both(connection);

	const Seen seen = watch().observe(connection);
	const bool known = sees(Sight::head) && sees(Sight::eof) && !new_request;
	REQUIRE(names(seen.active) == Names{"limit_close", known ? "early_response" : "stale_reuse"});
	if (known) {
		CHECK(seen.active[1].at("confidence") == "likely");
	}
}

TEST_CASE("one send begins before the FIN and goes on after it: not late",
          "[server][early][guest]") {
	Connection connection = open_connection();
	const std::string upload(8U << 20, 'u');
	std::thread sender([&] { send_all(connection.active, upload); });
	receive_exactly(connection.passive, 1000);
	send_all(connection.passive, response);
	half_close_passive(connection);
	receive_exactly(connection.passive, upload.size() - 1000);
	sender.join();
	receive_exactly(connection.active, response.size());
	connection.active.close();
	connection.passive.close();

	check_verdicts(connection, {"early_response"}, {});
}

TEST_CASE("a server that closes first gets no verdict of its own, whatever it left unsaid",
          "[server]") {
	Connection connection = open_connection();
	stay_idle();
	shut_down_writing(connection.passive);
	wait_for_state(connection.passive, TCP_FIN_WAIT2);
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE);
	connection.passive.close();

	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("a client that is silent, then closes: an idle close is for active openers", "[server]") {
	Connection connection = open_used_connection();
	stay_idle();
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	stay_idle();
	connection.passive.close();

	check_verdicts(connection, {}, {});
}
