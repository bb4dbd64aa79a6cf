// SPDX-License-Identifier: Apache-2.0
// A last word before closing is not a reuse.
#include "support/expect.hpp"
#include "support/sight.hpp"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <sys/uio.h>

using namespace runtime;
using namespace std::string_literals;

namespace {

/// A TLS record of this type with a body of this length.
std::string tls_record(int type, int minor_version, std::size_t length) {
	std::string record;
	record += static_cast<char>(type);
	record += '\x03';
	record += static_cast<char>(minor_version);
	record += static_cast<char>(length >> 8);
	record += static_cast<char>(length & 0xff);
	return record + std::string(length, '\x5a');
}

constexpr int alert = 21;
constexpr int data = 23;

const Names farewell = {"idle_close", "farewell_write"};
const Names reuse = {"idle_close", "stale_reuse"};

/// What becomes of a farewell of this length. Unless its head is seen, only its length tells, and only that of a
/// bare close_notify (31 bytes in TLS 1.2, 24 in TLS 1.3).
Names farewell_of(std::size_t bytes) {
	return sees(Sight::head) || bytes == 24 || bytes == 31 ? farewell : reuse;
}

Names after_late_write(const std::string& bytes, bool peer_is_gone) {
	Connection connection = open_used_connection();
	stay_idle();
	peer_is_gone ? close_passive(connection) : half_close_passive(connection);
	send_all(connection.active, bytes);
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.passive) == Names{});
	for (const Json& verdict : seen.active) {
		if (verdict.at("verdict") != "idle_close") {
			CHECK(verdict.at("evidence").at("bytes_after_fin") == bytes.size());
			CHECK(verdict.at("evidence").at("rst_received") == peer_is_gone);
			CHECK((sees(Sight::head) || verdict.at("confidence") == "likely"));
		}
	}
	return names(seen.active);
}

/// At once, as reading often does: what was received then hides how long the connection had been silent.
void acknowledge(int fd) {
	const int on = 1;
	checked(setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on), "TCP_QUICKACK");
}

/// A farewell and nothing else, as far as its head is seen.
void check_farewell(const std::string& bytes, bool peer_is_gone) {
	INFO(bytes.size() << " bytes");
	CHECK(after_late_write(bytes, peer_is_gone) == farewell_of(bytes.size()));
}

} // namespace

TEST_CASE("a TLS close_notify is a farewell, with or without an RST", "[farewell][guest]") {
	for (const bool peer_is_gone : {true, false}) {
		INFO("the peer is gone: " << peer_is_gone);
		check_farewell(tls_record(alert, 3, 26), peer_is_gone);
		check_farewell(tls_record(data, 3, 19), peer_is_gone);
	}
}

TEST_CASE("a TLS record that can hold a request is a reuse", "[farewell]") {
	CHECK(after_late_write(tls_record(data, 3, 41), true) == reuse);
	CHECK(after_late_write(tls_record(data, 3, 51), true) == reuse);
}

TEST_CASE("what follows a short TLS record decides: a close, or a read of the answer",
          "[farewell]") {
	for (const std::size_t length : {20U, 40U}) {
		INFO("record length " << length);
		check_farewell(tls_record(data, 3, length), true);
		Connection connection = open_used_connection();
		stay_idle();
		close_passive(connection);
		send_all(connection.active, tls_record(data, 3, length));
		char byte = 0;
		CHECK(recv(connection.active, &byte, 1, 0) <= 0);
		CHECK(names(watch().observe(connection).active) == reuse);
	}
}

TEST_CASE("whoever reads anything after a short TLS record waits for an answer", "[farewell]") {
	const std::string last_words(60, 'x'); // a GOAWAY and a close_notify of HTTP/2
	Connection connection = open_used_connection();
	stay_idle();
	send_last_words(connection.passive, last_words, false);
	half_close_passive(connection);
	send_all(connection.active, tls_record(data, 3, 33));
	receive_exactly(connection.active, last_words.size());
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active).back() == "stale_reuse");
}

TEST_CASE("what databases and mail servers are told before a close is a farewell", "[farewell]") {
	check_farewell("QUIT\r\n", true);
	check_farewell("X\0\0\0\x04"s, true);
	check_farewell("\x01\0\0\0\x01"s, true);
	check_farewell("\0\0\x08\7\0\0\0\0\0streamno"s, true); // HTTP/2
	check_farewell("\xe0\0"s, true);                       // MQTT
	check_farewell("\x88\x82mask12"s, true);               // a WebSocket
	check_farewell("\x88\x8amask1234567890"s, true);
}

TEST_CASE("a server that closes on a goodbye has left no request unanswered", "[farewell]") {
	const std::string goodbye =
		GENERATE("QUIT\r\n"s, "X\0\0\0\x04"s, "\x01\0\0\0\x01"s, "\xe0\0"s, "\x88\x82mask12"s,
	             tls_record(alert, 3, 26), tls_record(data, 3, 19));
	INFO(goodbye.size() << " bytes");
	Connection connection = open_used_connection();
	send_all(connection.active, goodbye);
	receive_exactly(connection.passive, goodbye.size());
	close_passive(connection);
	connection.active.close();
	const Names told = {sees(Sight::head) ? "farewell_write" : "unanswered_close"};
	check_verdicts(connection, told, {});
}

TEST_CASE("a server that closes on another short message has left it unanswered", "[farewell]") {
	const std::string message = GENERATE("PING\r\n"s, "\x01\0\0\0\x0e"s, tls_record(data, 3, 26));
	Connection connection = open_used_connection();
	send_all(connection.active, message);
	receive_exactly(connection.passive, message.size());
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"unanswered_close"}, {});
}

TEST_CASE("a ping that is as long as a TLS alert and was answered is no goodbye", "[farewell]") {
	Connection connection = open_used_connection();
	send_all(connection.active, tls_record(data, 3, 19));
	receive_exactly(connection.passive, 24);
	const std::string answer = tls_record(data, 3, GENERATE(19, 20)); // as long, and longer
	send_all(connection.passive, answer);
	receive_exactly(connection.active, answer.size());
	stay_idle();
	close_passive(connection);
	connection.active.close();
	check_verdicts(connection, {"idle_close"}, {});
}

TEST_CASE("other small requests are reuses", "[farewell]") {
	CHECK(after_late_write("\xc0\0"s, true) == reuse); // a ping of MQTT
	CHECK(after_late_write("PING\r\n", true) == reuse);
	CHECK(after_late_write("x", true) == reuse);
	CHECK(after_late_write("\x05\0\0\0\x03"s + "DO 1", true) == reuse); // a MySQL query
}

TEST_CASE("flow control of HTTP/2 after the FIN is no reuse, a request behind it is",
          "[farewell][guest]") {
	const bool tls = GENERATE(false, true);
	const bool asks = GENERATE(false, true);
	INFO("over TLS: " << tls << ", with a request: " << asks);
	const std::string window_update = tls ? tls_record(data, 3, 37) : "\0\0\4\x08\0\0\0\0\1more"s;
	Connection connection = open_used_connection();
	send_all(connection.active, request);
	receive_exactly(connection.passive, request.size());
	const std::string answer(20000, 'a');
	send_all(connection.passive, answer);
	half_close_passive(connection);
	for (std::size_t i = 0; i < 4; i++) { // as it is read
		receive_exactly(connection.active, answer.size() / 4);
		send_all(connection.active, window_update);
	}
	if (asks) {
		send_all(connection.active, tls ? tls_record(data, 3, 39) : request);
		CHECK(reads_eof(connection.active)); // it waits for an answer
	}
	connection.active.close();
	const Seen seen = watch().observe(connection);
	const bool harmless = sees(Sight::head) && !asks;
	REQUIRE(names(seen.active) ==
	        Names{"limit_close", harmless ? "farewell_write" : "stale_reuse"});
	CHECK((seen.active[1].at("confidence") == "certain") == (sees(Sight::head) && !tls));
	CHECK(names(seen.passive) == Names{});
}

TEST_CASE("Java's farewell in two writes", "[farewell]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	send_all(connection.active, tls_record(alert, 3, 26));
	send_all(connection.active, tls_record(data, 3, 4));
	connection.active.close();
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == farewell_of(40));
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == 40);
}

TEST_CASE("a TLS farewell whose header is a vector of its own", "[farewell][guest]") {
	Connection connection = open_used_connection();
	stay_idle();
	close_passive(connection);
	std::string record = tls_record(data, 3, 19);
	const std::array<iovec, 2> parts = {
		{{record.data(), 5}, {record.data() + 5, record.size() - 5}}};
	CHECK(writev(connection.active, parts.data(), 2) == static_cast<ssize_t>(record.size()));
	connection.active.close();
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == farewell);
}

TEST_CASE("a goodbye that is followed by more is a reuse", "[farewell]") {
	Connection connection = open_used_connection();
	stay_idle();
	half_close_passive(connection);
	send_all(connection.active, "QUIT\r\n");
	send_all(connection.active, request);
	send_all(connection.active, request);
	CHECK(reads_eof(connection.active)); // it waits for an answer
	connection.active.close();
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == reuse);
	CHECK(seen.active[1].at("evidence").at("bytes_after_fin") == 6 + 2 * request.size());
}

TEST_CASE("a lazy TLS client has not read the server's close_notify", "[farewell][last-words]") {
	const bool one_segment = GENERATE(true, false);
	INFO((one_segment ? "with" : "before") << " the FIN");
	const std::string last_words = tls_record(data, 3, 19);
	Connection connection = open_used_connection();
	stay_idle();
	send_last_words(connection.passive, last_words, one_segment);
	close_passive(connection);
	send_all(connection.active, tls_record(data, 3, 19));
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == farewell);
	check_field(seen.active[1].at("evidence"), "unread_bytes", last_words.size(), Sight::time);
}

TEST_CASE("a waiting TLS client has read the server's close_notify before the FIN",
          "[farewell][last-words][guest]") {
	const std::size_t body = GENERATE(19, 26);
	const bool header_apart = GENERATE(false, true);
	const std::string last_words = tls_record(body == 19 ? data : alert, 3, body);
	CAPTURE(body, header_apart);
	Connection connection = open_used_connection();
	stay_idle();
	send_last_words(connection.passive, last_words, false);
	const std::size_t header = header_apart ? last_words.size() - body : 0;
	receive_exactly(connection.active, header);
	receive_exactly(connection.active, last_words.size() - header);
	acknowledge(connection.active);
	close_passive(connection);
	const Seen seen = watch().observe(connection);
	REQUIRE(names(seen.active) == Names{sees(Sight::eof) ? "idle_close" : "limit_close"});
	const Json& verdict = seen.active[0];
	CHECK(verdict.at("confidence") == "likely");
	CHECK(verdict.at("evidence").at("unread_bytes") == 0);
	const char* const idle = sees(Sight::eof) ? "idle_ms" : "send_age_ms";
	CHECK(verdict.at("evidence").at(idle) >= idle_gap.count());
}

TEST_CASE("what is read after the length of a close_notify is an answer",
          "[farewell][last-words]") {
	Connection connection = open_used_connection();
	stay_idle();
	send_all(connection.passive, std::string(31, 'x'));
	receive_exactly(connection.active, 31);
	send_all(connection.passive, "more");
	receive_exactly(connection.active, 4);
	acknowledge(connection.active);
	close_passive(connection);
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == Names{"limit_close"});
}

TEST_CASE("a TLS server's farewell to a client that has closed", "[farewell]") {
	Connection connection = open_used_connection();
	connection.active.close();
	wait_for_state(connection.passive, TCP_CLOSE_WAIT);
	send_all(connection.passive, tls_record(alert, 3, 26));
	connection.passive.close();
	check_verdicts(connection, {}, {"farewell_write"});
}
