// SPDX-License-Identifier: Apache-2.0
#include "sinks/text.hpp"

#include "sinks/samples.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace stalesock::test {

namespace {

using matchers::Contains;
using matchers::EndsWith;
using matchers::StartsWith;

const std::string hostile_on_a_terminal =
	"\\x1b[31m\\x0a\\x7f\\xc2\\x9b\\xe2\\x80\\xae\\xff\\xc0\\xafx";

std::string plain(const Verdict& verdict) {
	const EnvironmentVariable zone("TZ", "UTC");
	return text_line(verdict, sample_time, false);
}

std::string plain(const Event& event) {
	const EnvironmentVariable zone("TZ", "UTC");
	return text_line(event, sample_time, false);
}

std::string coloured(VerdictKind kind) {
	const EnvironmentVariable zone("TZ", "UTC");
	Verdict verdict = minimal_verdict();
	verdict.kind = kind;
	return text_line(verdict, sample_time, true);
}

bool is_printable(const std::string& text) {
	return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::size_t count(const std::string& text, char wanted) {
	return static_cast<std::size_t>(std::count(text.begin(), text.end(), wanted));
}

} // namespace

TEST_CASE("a verdict as text: time, severity, kind, message, remarks, advice below", "[sinks]") {
	CHECK(plain(full_verdict()) ==
	      "02:40:00.123  error    stale_reuse            nginx (pid 812) wrote 163 B "
	      "[nginx.service, docker cccccccccccc, pod 0123456789abcdef0123456789abcdef] "
	      "(likely: the time of the FIN)\n"
	      "                       keep pooled connections for less time");
	CHECK(plain(minimal_verdict()) == "02:40:00.123  info     idle_close             closed");
}

TEST_CASE("messages and advice start in the same column for every verdict", "[sinks]") {
	for (std::size_t kind = 0; kind < verdict_kind_count; kind++) {
		Verdict verdict = minimal_verdict();
		verdict.kind = static_cast<VerdictKind>(kind);
		verdict.message = "MESSAGE";
		const std::string line = plain(verdict);
		CAPTURE(line);
		CHECK(line.find("MESSAGE") == 46);
	}
}

TEST_CASE("what was collapsed is one line with its count", "[sinks]") {
	const EnvironmentVariable zone("TZ", "UTC");
	CHECK(text_line(full_sum(), sample_time, false) ==
	      "02:40:00.123  error    stale_reuse            37 more of nginx (pid 812) "
	      "[nginx.service, docker cccccccccccc, pod 0123456789abcdef0123456789abcdef] "
	      "with 10.0.0.7:8080, after the 5 shown, since 02:39:02.123");
	CHECK(text_line(minimal_sum(), sample_time, false) ==
	      "02:40:00.123  notice   abandoned_response     1 more of an unknown process with "
	      "2001:db8::9, after the 1 shown, since 02:40:00.123");
	Collapsed hostile = full_sum();
	hostile.owner.command = hostile.owner.unit = hostile_command();
	CHECK(text_line(hostile, sample_time, false).find('\x1b') == std::string::npos);
}

TEST_CASE("a confidence that is not certain is told even without a fact", "[sinks]") {
	Verdict verdict = minimal_verdict();
	verdict.confidence = Confidence::possible;
	CHECK_THAT(plain(verdict), EndsWith("closed (possible)"));
}

TEST_CASE("colour marks the severity and the advice, and ends where it should", "[sinks]") {
	const EnvironmentVariable zone("TZ", "UTC");
	CHECK(text_line(full_verdict(), sample_time, true) ==
	      "02:40:00.123  \x1b[1;31merror    stale_reuse          \x1b[0m  nginx (pid 812) wrote "
	      "163 B "
	      "[nginx.service, docker cccccccccccc, pod 0123456789abcdef0123456789abcdef] (likely: the "
	      "time of the FIN)\n"
	      "                       \x1b[2mkeep pooled connections for less time\x1b[0m");
	CHECK_THAT(coloured(VerdictKind::reuse_race), Contains("\x1b[33mwarning"));
	CHECK_THAT(coloured(VerdictKind::abandoned_response), Contains("\x1b[36mnotice"));
	CHECK_THAT(coloured(VerdictKind::idle_close), Contains("\x1b[2minfo"));
	CHECK(count(plain(full_verdict()), '\x1b') == 0);
}

TEST_CASE("an event as text", "[sinks]") {
	CHECK(plain(full_event()) ==
	      "02:40:00.123  event    late_write             [2001:db8::1]:41230 -> [::1]:8080  "
	      "ESTABLISHED->CLOSE_WAIT  nginx[812]  56 B after the peer's FIN  error 32");
	Event event = minimal_event();
	event.old_state = event.new_state = TcpState::last_ack;
	event.local = endpoint("[::ffff:10.0.0.1]:1");
	event.remote = endpoint("10.0.0.7:80");
	CHECK(plain(event) ==
	      "02:40:00.123  event    released               10.0.0.1:1 -> 10.0.0.7:80  LAST_ACK");
	const std::string dim = text_line(event, sample_time, true);
	CHECK_THAT(dim, StartsWith("\x1b[2m") && EndsWith("LAST_ACK\x1b[0m"));
}

TEST_CASE("hostile text cannot drive a terminal", "[sinks]") {
	Verdict verdict = minimal_verdict();
	verdict.owner.unit = hostile_command();
	verdict.message = hostile_command();
	verdict.confidence = Confidence::likely;
	verdict.inferred = hostile_command();
	const std::string line = plain(verdict);
	CHECK(is_printable(line));
	CHECK_THAT(line, EndsWith("  " + hostile_on_a_terminal + " [" + hostile_on_a_terminal +
	                          "] (likely: " + hostile_on_a_terminal + ")"));

	verdict.advice = hostile_command();
	CHECK(count(plain(verdict), '\n') == 1);
	CHECK(count(plain(verdict), '\x1b') == 0);

	Event event = minimal_event();
	event.actor = Actor{1, hostile_command()};
	CHECK(is_printable(plain(event)));
	CHECK_THAT(plain(event), EndsWith("  " + hostile_on_a_terminal + "[1]"));
}

TEST_CASE("names in other scripts are left as they are", "[sinks]") {
	Verdict verdict = minimal_verdict();
	verdict.message = "\u043f\u0440\u043e\u043a\u0441\u0438 \u4ee3\u7406 \U0001f40c";
	CHECK_THAT(plain(verdict), EndsWith(verdict.message));
}

TEST_CASE("colour is for terminals that want it", "[sinks]") {
	const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(terminal >= 0);
	const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const EnvironmentVariable term("TERM", "xterm");
	const EnvironmentVariable no_colour("NO_COLOR", nullptr);
	CHECK(wants_colour(terminal));
	CHECK_FALSE(wants_colour(file));
	{
		const EnvironmentVariable refused("NO_COLOR", "1");
		CHECK_FALSE(wants_colour(terminal));
	}
	{
		const EnvironmentVariable empty("NO_COLOR", ""); // no-color.org: "when not an empty string"
		CHECK(wants_colour(terminal));
	}
	{
		const EnvironmentVariable dumb("TERM", "dumb");
		CHECK_FALSE(wants_colour(terminal));
	}
	{
		const EnvironmentVariable none("TERM", nullptr);
		CHECK_FALSE(wants_colour(terminal));
	}
	close(file);
	close(terminal);
}

} // namespace stalesock::test
