// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "verdict/peer_advice.hpp"
#include "verdict/settings.hpp"

namespace stalesock::test {

namespace {

using matchers::Contains;
using std::chrono::milliseconds;
using std::chrono::seconds;

Agreement agreed(Nanoseconds lowest, Nanoseconds highest) {
	return {lowest, highest, 3, 3};
}

Listener listener_closing_after(Nanoseconds timeout) {
	Listener listener;
	listener.idle_timeout = agreed(timeout, timeout);
	listener.idle_closes = 3;
	listener.command = CommandName{"nginx"};
	return listener;
}

} // namespace

TEST_CASE("of a peer that has taught nothing there is no advice", "[advice]") {
	Peer peer;
	peer.longest_reuse = LongestReuse{seconds(5), {}, CommandName{"java"}};
	peer.near_misses = 5;
	CHECK(advice_for(peer).empty());
}

TEST_CASE("advice on a peer names the number, and the setting of who reused longest", "[advice]") {
	Peer peer;
	peer.idle_timeout = agreed(seconds(5), seconds(5));
	CHECK(advice_for(peer) == "keep pooled connections for less than 4.0 s (in Go, for example, "
	                          "Transport.IdleConnTimeout)");
	peer.longest_reuse = LongestReuse{milliseconds(3999), {}, CommandName{"nginx"}};
	CHECK(advice_for(peer) ==
	      "keep pooled connections for less than 4.0 s (keepalive_timeout in "
	      "the upstream block, lua_socket_keepalive_timeout for Lua cosockets)");
	peer.longest_reuse->gap = seconds(4);
	CHECK_THAT(advice_for(peer), Contains("connections are reused up to 4.00 s idle: keep"));
}

TEST_CASE("each limit of a peer has its sentence", "[advice]") {
	Peer peer;
	peer.silent_drop_limit = agreed(seconds(350), seconds(360));
	CHECK_THAT(advice_for(peer), Contains("forgets connections idle for 350 s"));
	peer.lifetime = agreed(seconds(60), seconds(60));
	CHECK_THAT(advice_for(peer), Contains("; connections end at the age of 60.00 s"));
	peer.request_limit = ValueAgreement{100, 100, 3};
	CHECK_THAT(advice_for(peer), Contains("; connections end at their request 100"));
	peer.request_limit = ValueAgreement{1, 1, 3}; // no keep-alive at all
	CHECK_THAT(advice_for(peer), !Contains("request"));
}

TEST_CASE("a listener that closes before its clients is told to wait longer", "[advice]") {
	Listener listener = listener_closing_after(seconds(5));
	SECTION("the clients' time is known") {
		listener.client_timeout = agreed(seconds(60), seconds(60));
		listener.client_idle_closes = 3;
		CHECK(advice_for(listener) ==
		      "clients keep idle connections for 60.00 s, this listener closes them after 5.00 s: "
		      "raise keepalive_timeout in http, server or location above that, so that clients "
		      "close first");
	}
	SECTION("clients come close to it") {
		listener.client_idle_closes = 1;
		listener.longest_reuse = LongestReuse{milliseconds(4900), {}, {}};
		listener.near_misses = 2;
		CHECK(advice_for(listener).empty());
		listener.near_misses = 3;
		CHECK_THAT(advice_for(listener), Contains("clients reuse connections up to 4.90 s idle"));
	}
	SECTION("no client ever closed") {
		CHECK_THAT(advice_for(listener), Contains("never a client"));
	}
}

TEST_CASE("a listener whose clients close first needs no advice", "[advice]") {
	Listener listener = listener_closing_after(seconds(75));
	listener.client_timeout = agreed(seconds(60), seconds(60));
	listener.client_idle_closes = 3;
	CHECK(advice_for(listener).empty());
	listener.idle_timeout.reset();
	CHECK(advice_for(listener).empty());
}

TEST_CASE("a server's setting follows from its command name", "[advice]") {
	const auto& [command, setting] = GENERATE(table<std::string, std::string>({
		{"nginx", "keepalive_timeout in http"},
		{"apache2", "KeepAliveTimeout"},
		{"haproxy", "timeout http-keep-alive"},
		{"java", "keepAliveTimeout of Tomcat's connector, idleTimeout of Jetty's"},
		{"node", "server.keepAliveTimeout"},
		{"gunicorn", "--keep-alive"},
		{"uvicorn", "--timeout-keep-alive"},
		{"python3.11", "--timeout-keep-alive"},
		{"postgres", "idle_session_timeout"},
		{"mysqld", "wait_timeout"},
		{"redis-server", "timeout"},
		{"myserver", "Server.IdleTimeout"},
		{"", "Server.IdleTimeout"},
	}));
	CAPTURE(command);
	CHECK_THAT(std::string(server_setting(command)), Contains(setting));
}

TEST_CASE("a Go program is told by its runtime where its name says nothing", "[advice]") {
	CHECK(pool_setting("myservice", Runtime::go) == "Transport.IdleConnTimeout in Go");
	CHECK(pool_setting("traefik", Runtime::go) ==
	      "serversTransport.forwardingTimeouts.idleConnTimeout");
	CHECK_THAT(std::string(server_setting("myservice", Runtime::go)),
	           Contains("Server.IdleTimeout in Go"));
}

} // namespace stalesock::test
