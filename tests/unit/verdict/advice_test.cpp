// SPDX-License-Identifier: Apache-2.0
#include "verdict/advice.hpp"
#include "verdict/rules.hpp"

#include "support/catch.hpp"
#include "verdict/message.hpp"
#include "verdict/settings.hpp"

#include <chrono>
#include <string>

namespace stalesock::test {

namespace {

using matchers::Contains;
using matchers::EndsWith;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string limit_for(Nanoseconds idle_timeout) {
	return limit_text(pool_limit(idle_timeout));
}

Verdict verdict_of(VerdictKind kind, std::optional<PeerFacts> peer = std::nullopt,
                   const char* command = "nginx") {
	Verdict verdict;
	verdict.kind = kind;
	verdict.owner = {OwnerSource::write, 812, command, std::nullopt};
	verdict.evidence.rst_received = true;
	verdict.peer = peer;
	return verdict;
}

constexpr PeerFacts five_seconds{seconds(5), milliseconds(3), 30, 31};

} // namespace

TEST_CASE("a pool keeps connections for less than the server: min(0.8 t, t - 1 s), at least t / 2",
          "[advice]") {
	CHECK(pool_limit(milliseconds(500)) == milliseconds(250));
	CHECK(pool_limit(seconds(1)) == milliseconds(500));
	CHECK(pool_limit(seconds(2)) == seconds(1)); // both, from here on t - 1 s
	CHECK(pool_limit(milliseconds(2500)) == milliseconds(1500));
	CHECK(pool_limit(milliseconds(4990)) == milliseconds(3990));
	CHECK(pool_limit(seconds(5)) == seconds(4)); // both, from here on 0.8 t
	CHECK(pool_limit(seconds(10)) == seconds(8));
	CHECK(pool_limit(seconds(60)) == seconds(48));
	CHECK(pool_limit(seconds(350)) == seconds(280));
}

TEST_CASE("limits have two significant figures", "[advice]") {
	CHECK(limit_for(seconds(2)) == "1.0 s");
	CHECK(limit_for(seconds(5)) == "4.0 s");
	CHECK(limit_for(seconds(60)) == "48 s");
	CHECK(limit_for(milliseconds(1004)) == "500 ms");
	CHECK(limit_for(milliseconds(2503)) == "1.5 s");
	CHECK(limit_for(seconds(350)) == "280 s");
	CHECK(limit_text(milliseconds(994)) == "990 ms");
	CHECK(limit_text(milliseconds(996)) == "1.0 s");
	CHECK(limit_text(milliseconds(9940)) == "9.9 s");
	CHECK(limit_text(milliseconds(9960)) == "10 s");
	CHECK(limit_text(milliseconds(99'600)) == "100 s");
	CHECK(limit_text(seconds(1234)) == "1200 s");
	CHECK(limit_text(milliseconds(47)) == "47 ms");
	CHECK(limit_text({}) == "1 ms");
}

TEST_CASE("a time changes its unit as its number is rounded", "[message]") {
	using std::chrono::microseconds;
	CHECK(duration_text(microseconds(994)) == "0.99 ms");
	CHECK(duration_text(microseconds(996)) == "1.0 ms");
	CHECK(duration_text(microseconds(99'900)) == "99.9 ms");
	CHECK(duration_text(microseconds(99'960)) == "100 ms");
	CHECK(duration_text(microseconds(999'400)) == "999 ms");
	CHECK(duration_text(microseconds(999'900)) == "1.00 s");
	CHECK(duration_text(microseconds(99'990'000)) == "99.99 s");
	CHECK(duration_text(microseconds(99'996'000)) == "100 s");
}

TEST_CASE("advice names the number and the setting", "[advice]") {
	CHECK(advice_for(verdict_of(VerdictKind::stale_reuse, five_seconds)) ==
	      "keep pooled connections for less than 4.0 s (keepalive_timeout in the upstream block, "
	      "lua_socket_keepalive_timeout for Lua cosockets), "
	      "or read to see the end of file before reusing one");
	CHECK(advice_for(verdict_of(VerdictKind::reuse_race, five_seconds)) ==
	      "a check before reuse cannot prevent this: keep pooled connections for less than 4.0 s "
	      "(keepalive_timeout in the upstream block, "
	      "lua_socket_keepalive_timeout for Lua cosockets), and retry what is safe to repeat");
}

TEST_CASE("while nothing is learned advice has no number", "[advice]") {
	const std::string stale = advice_for(verdict_of(VerdictKind::stale_reuse));
	CHECK(stale ==
	      "keep pooled connections for less time than this server keeps idle ones "
	      "(keepalive_timeout in the upstream block, "
	      "lua_socket_keepalive_timeout for Lua cosockets), or read to see the end of file "
	      "before reusing one");
	const std::string race = advice_for(verdict_of(VerdictKind::reuse_race));
	CHECK(race.find_first_of("0123456789") == std::string::npos);
	CHECK_THAT(race, Contains("for clearly less time than this server keeps idle ones"));
}

TEST_CASE("of several timeouts advice follows the lowest", "[advice]") {
	const PeerFacts two{seconds(1), seconds(4), 12, 14};
	CHECK_THAT(advice_for(verdict_of(VerdictKind::stale_reuse, two)),
	           Contains("for less than 500 ms"));
}

TEST_CASE("a connection that was closed with its response has no timeout to stay below",
          "[advice]") {
	Verdict verdict = verdict_of(VerdictKind::stale_reuse);
	verdict.evidence.bytes_received = 500;
	SECTION("closed with it") {
		verdict.evidence.idle = response_and_fin;
		CHECK_THAT(advice_for(verdict), Contains("Connection: close"));
		CHECK_THAT(message_for(verdict), Contains("had closed together with its response"));
	}
	SECTION("closed soon after it") {
		verdict.evidence.idle = response_and_fin + milliseconds(1);
		CHECK_THAT(advice_for(verdict), Contains("as by a restart of the server"));
		CHECK_THAT(message_for(verdict), Contains("was idle for 21.0 ms"));
	}
	SECTION("closed when idle") {
		verdict.evidence.idle = milliseconds(100);
		CHECK_THAT(advice_for(verdict), Contains("for less time"));
		CHECK_THAT(message_for(verdict), Contains("was idle for 100 ms"));
	}
	SECTION("closed before anything was received") {
		verdict.evidence.idle = milliseconds(99);
		verdict.evidence.bytes_received = 0;
		CHECK_THAT(advice_for(verdict), Contains("read to see the end of file"));
		CHECK_THAT(message_for(verdict), Contains("was idle for 99.0 ms"));
	}
}

TEST_CASE("no timeout of the client prevents a reuse after an early close", "[advice]") {
	Verdict verdict = verdict_of(VerdictKind::stale_reuse, five_seconds);
	verdict.evidence.idle = milliseconds(2499);
	CHECK_THAT(advice_for(verdict), Contains("no timeout of the client prevents this"));
	verdict.evidence.idle = milliseconds(2500);
	CHECK_THAT(advice_for(verdict), Contains("for less than 4.0 s"));
}

TEST_CASE("closes that agree have one usual time", "[message]") {
	Verdict verdict =
		verdict_of(VerdictKind::early_idle_close, PeerFacts{seconds(2), milliseconds(50), 3, 3});
	CHECK_THAT(message_for(verdict), Contains("far sooner than usual (2.00 s, "));
	verdict.peer->spread = milliseconds(51);
	CHECK_THAT(message_for(verdict),
	           Contains("far sooner than usual (between 2.00 s and 2.05 s, "));
}

TEST_CASE("the setting follows from the command name", "[advice]") {
	const auto& [command, setting] = GENERATE(table<std::string, std::string>({
		{"nginx", "keepalive_timeout in the upstream block"},
		{"haproxy", "pool-purge-delay"},
		{"envoy", "common_http_protocol_options.idle_timeout"},
		{"java", "evictIdleConnections"},
		{"node", "freeSocketTimeout"},
		{"node-MainThread", "freeSocketTimeout"},
		{"python", "keepalive_expiry"},
		{"python3", "keepalive_expiry"},
		{"python3.11", "keepalive_timeout in aiohttp"},
		{"curl", "CURLOPT_MAXAGE_CONN in libcurl; --keepalive-time does not help"},
		{"php-fpm", "CURLOPT_MAXAGE_CONN"},
		{"php-fpm8.2", "CURLOPT_MAXAGE_CONN"},
		{"", "in Go, for example, Transport.IdleConnTimeout"},
		{"nginx2", "in Go, for example"},
		{"xnginx", "in Go, for example"},
		{"ngin", "in Go, for example"},
		{"mypython", "in Go, for example"},
		{"php", "in Go, for example"},
	}));
	CAPTURE(command);
	CHECK_THAT(std::string(pool_setting(command)), Contains(setting));
	CHECK_THAT(advice_for(verdict_of(VerdictKind::stale_reuse, five_seconds, command.c_str())),
	           Contains(setting));
}

TEST_CASE("the program that a command line begins with tells what a new name hides", "[advice]") {
	const auto setting = [](const char* command, const char* line) {
		return std::string(pool_setting(command, Runtime::unknown, line));
	};
	CHECK_THAT(setting("gunicorn: worke", "/usr/bin/python3 -m gunicorn"), Contains("aiohttp"));
	CHECK_THAT(setting("app", "node server.js"), Contains("agentkeepalive"));
	CHECK_THAT(setting("www", "php-fpm: pool www"), Contains("CURLOPT_MAXAGE_CONN in curl"));
	CHECK_THAT(setting("tomcat", "/usr/lib/jvm/default/bin/java -jar x"), Contains("HttpClient"));
	CHECK_THAT(setting("nginx", "/usr/bin/python3"),
	           Contains("upstream")); // the command goes first
	for (const char* line : {"", " ", "/", "/usr/bin/", "/usr/bin/xpython3", "sh -c python3"}) {
		CHECK_THAT(setting("app", line), Contains("in Go, for example"));
	}
}

TEST_CASE("an unknown owner gets the example", "[advice]") {
	Verdict verdict = verdict_of(VerdictKind::stale_reuse, five_seconds);
	verdict.owner = {};
	CHECK_THAT(advice_for(verdict), Contains("Transport.IdleConnTimeout"));
}

TEST_CASE("the message says what the server was seen to do", "[advice]") {
	const VerdictKind kind = GENERATE(VerdictKind::stale_reuse, VerdictKind::reuse_race);
	const auto message = [&](const PeerFacts& peer) { return message_for(verdict_of(kind, peer)); };
	CHECK_THAT(message({seconds(2), milliseconds(1), 28, 30}),
	           EndsWith("; that server closes connections idle for 2.00 s (28 of 30 seen)"));
	CHECK_THAT(message({seconds(2), milliseconds(1), 28, 31}), EndsWith("(28 of 31 seen)"));
	CHECK_THAT(message({seconds(2), milliseconds(1), 30, 32}), EndsWith("(30 of the last 32)"));
	CHECK_THAT(message({seconds(1), seconds(4), 12, 14}),
	           EndsWith("; that server closes idle connections after between 1.00 s and 5.00 s "
	                    "(12 of 14 seen)"));
	CHECK_THAT(message({seconds(1), milliseconds(50), 3, 3}), Contains("idle for 1.00 s"));
	CHECK_THAT(message({seconds(1), milliseconds(51), 3, 3}), Contains("between 1.00 s and 1.05"));
	CHECK_THAT(message_for(verdict_of(kind)), !Contains("that server"));
	CHECK_THAT(message_for(verdict_of(VerdictKind::idle_close, five_seconds)),
	           !Contains("that server"));
}

} // namespace stalesock::test
