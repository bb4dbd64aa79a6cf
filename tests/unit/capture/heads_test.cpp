// SPDX-License-Identifier: Apache-2.0
// include/stalesock/heads.h: what a message is, by its first bytes and its length.
#include "support/catch.hpp"

#include "stalesock/heads.h"

#include <array>
#include <string>

namespace stalesock::test {

namespace {

int kind_of(const std::string& message) {
	std::array<__u8, STALESOCK_HEAD_BYTES> head{};
	message.copy(reinterpret_cast<char*>(head.data()), head.size());
	return stalesock_classify_head(head.data(), static_cast<__u32>(message.size())).kind;
}

std::string bytes(std::initializer_list<int> values, std::size_t more = 0) {
	std::string text;
	for (const int value : values) {
		text += static_cast<char>(value);
	}
	return text + std::string(more, 'x');
}

} // namespace

TEST_CASE("goodbyes of protocols are known by their bytes", "[heads]") {
	for (const char* text :
	     {"QUIT", "quit\r\n", "QUIT\n", "QUIT :gone fishing\r\n", "</stream:stream>"}) {
		INFO(text);
		CHECK(kind_of(text) == STALESOCK_HEAD_GOODBYE);
	}
	CHECK(kind_of(bytes({'X', 0, 0, 0, 4})) == STALESOCK_HEAD_GOODBYE);           // PostgreSQL
	CHECK(kind_of(bytes({1, 0, 0, 0, 1})) == STALESOCK_HEAD_GOODBYE);             // MySQL
	CHECK(kind_of(bytes({0x30, 5, 2, 1, 3, 0x42, 0})) == STALESOCK_HEAD_GOODBYE); // LDAP
	CHECK(kind_of(bytes({0x30, 6, 2, 2, 1, 3, 0x42, 0})) ==
	      STALESOCK_HEAD_GOODBYE); // of many messages
	CHECK(kind_of(bytes({0x30, 7, 2, 3, 1, 1, 3, 0x42, 0})) == STALESOCK_HEAD_GOODBYE);
	CHECK(kind_of(bytes({0x88, 0x82, 1, 2, 3, 4, 5, 6})) ==
	      STALESOCK_HEAD_GOODBYE);                                       // WebSocket, a client's
	CHECK(kind_of(bytes({0x88, 2, 3, 0xe8})) == STALESOCK_HEAD_GOODBYE); // a server's
	CHECK(kind_of(bytes({0xe0, 0})) == STALESOCK_HEAD_GOODBYE);          // MQTT
	CHECK(kind_of(bytes({0, 0, 8, 7, 0, 0, 0, 0, 0}, 8)) == STALESOCK_HEAD_GOODBYE); // HTTP/2
}

TEST_CASE("what only begins like a goodbye is none", "[heads]") {
	for (const char* text : {"QUITE A LONG COMMAND", "QUIT and more", "</straw>", "X"}) {
		INFO(text);
		CHECK(kind_of(text) == STALESOCK_HEAD_OTHER);
	}
	CHECK(kind_of(bytes({'X', 0, 0, 0, 4, 0})) == STALESOCK_HEAD_OTHER);
	CHECK(kind_of(bytes({0x30, 5, 2, 1, 3, 0x4a, 0})) ==
	      STALESOCK_HEAD_OTHER); // LDAP: delete the root
	CHECK(kind_of(bytes({0x30, 5, 2, 1, 3, 0x42, 0, 0})) == STALESOCK_HEAD_OTHER);
	CHECK(kind_of(bytes({0x88, 2, 3, 0xe8, 0})) == STALESOCK_HEAD_OTHER);
	CHECK(kind_of("QUIT :" + std::string(STALESOCK_LONGEST_PARTING_LINE, 'x')) ==
	      STALESOCK_HEAD_OTHER);
}

TEST_CASE("TLS records are known by type, version and length", "[heads]") {
	CHECK(kind_of(bytes({21, 3, 3, 0, 2}, 2)) == STALESOCK_HEAD_TLS_ALERT);
	CHECK(kind_of(bytes({21, 3, 3, 0, 224}, 224)) == STALESOCK_HEAD_TLS_ALERT); // padded, CBC
	CHECK(kind_of(bytes({23, 3, 3, 0, 19}, 19)) == STALESOCK_HEAD_TLS_DATA);
	CHECK(kind_of(bytes({23, 3, 3, 0, 30}, 30)) == STALESOCK_HEAD_TLS_CONTROL);
	CHECK(kind_of(bytes({23, 3, 3, 0, 30}, 31)) == STALESOCK_HEAD_TLS_DATA); // more follows
	CHECK(kind_of(bytes({23, 3, 5, 0, 19}, 19)) == STALESOCK_HEAD_OTHER);
	CHECK(kind_of(bytes({23, 3, 3, 0})) == STALESOCK_HEAD_OTHER);
}

TEST_CASE("frames of HTTP/2 that ask for nothing", "[heads]") {
	CHECK(kind_of(bytes({0, 0, 4, 8, 0, 0, 0, 0, 1}, 4)) ==
	      STALESOCK_HEAD_CONTROL); // WINDOW_UPDATE
	CHECK(kind_of(bytes({0, 0, 4, 8, 0, 0, 0, 0, 1}, 17)) == STALESOCK_HEAD_CONTROL); // and another
	CHECK(kind_of(bytes({0, 0, 4, 3, 0, 0, 0, 0, 1}, 4)) == STALESOCK_HEAD_CONTROL);  // RST_STREAM
	CHECK(kind_of(bytes({0, 0, 8, 6, 1, 0, 0, 0, 0}, 8)) ==
	      STALESOCK_HEAD_CONTROL); // PING, answered
	CHECK(kind_of(bytes({0, 0, 0, 4, 1, 0, 0, 0, 0})) ==
	      STALESOCK_HEAD_CONTROL); // SETTINGS, answered
	CHECK(kind_of(bytes({0, 0, 8, 6, 0, 0, 0, 0, 0}, 8)) == STALESOCK_HEAD_OTHER); // a PING asks
	CHECK(kind_of(bytes({0, 0, 4, 8, 0, 0, 0, 0, 1}, 5)) == STALESOCK_HEAD_OTHER);
}

TEST_CASE("methods of HTTP, and those that announce a body", "[heads]") {
	const auto method_of = [](const char* text) {
		return stalesock_http_method(reinterpret_cast<const __u8*>(text));
	};
	for (const char* text : {"GET / HTTP", "HEAD / HTTP", "DELETE / H", "TRACE / HT", "OPTIONS * ",
	                         "CONNECT ho", "PRI * HTTP"}) {
		INFO(text);
		CHECK(kind_of(text) == STALESOCK_HEAD_HTTP);
		CHECK(method_of(text) == STALESOCK_METHOD);
	}
	for (const char* text : {"PUT / HTTP", "POST / HTTP", "PATCH / HT"}) {
		INFO(text);
		CHECK(kind_of(text) == STALESOCK_HEAD_HTTP);
		CHECK(method_of(text) == STALESOCK_METHOD_WITH_BODY);
	}
	for (const char* text : {"GETTING THERE", "POSTED /", "get / http", "HTTP/1.1 200"}) {
		INFO(text);
		CHECK(kind_of(text) == STALESOCK_HEAD_OTHER);
	}
}

} // namespace stalesock::test
