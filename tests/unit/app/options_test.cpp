// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include "app/network_namespace.hpp"
#include "app/version.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace stalesock::test {

namespace {

using Catch::Matchers::Contains;
using Words = std::vector<const char*>;

Command parsed(Words words) {
	words.insert(words.begin(), "stalesock");
	return parse_command_line(static_cast<int>(words.size()), words.data());
}

WatchConfig watch(Words words) {
	words.insert(words.begin(), "watch");
	return std::get<WatchConfig>(parsed(words));
}

std::string text_of(const Words& words) {
	return std::get<ShowText>(parsed(words)).text;
}

/// What the user is told; empty when nothing is wrong.
std::string complaint(const Words& words) {
	try {
		static_cast<void>(parsed(words));
		return {};
	} catch (const UsageError& error) {
		return error.what();
	}
}

} // namespace

TEST_CASE("watch alone watches everything", "[app]") {
	const WatchConfig config = watch({});
	CHECK_FALSE(config.json);
	CHECK_FALSE(config.events);
	CHECK(config.colour);
	CHECK_FALSE(config.duration.has_value());
	CHECK(config.max_connections == 262'144);
	CHECK(config.probe.ring_size == 4U << 20);
	CHECK(config.probe.filter.netns == 0);
	CHECK(config.probe.filter.pid == 0);
	CHECK(config.probe.filter.port == 0);
	CHECK(describe(config.filter).empty());
}

TEST_CASE("each option of watch reaches its place", "[app]") {
	const WatchConfig config = watch({"--json",
	                                  "--events",
	                                  "--no-color",
	                                  "--duration",
	                                  "2.5",
	                                  "--min-severity",
	                                  "warning",
	                                  "--remote",
	                                  "10.0.0.7:8080",
	                                  "--port",
	                                  "443",
	                                  "--pid",
	                                  "812",
	                                  "--unit",
	                                  "nginx",
	                                  "--netns",
	                                  "4026531840",
	                                  "--hooks",
	                                  "none",
	                                  "--ring-size",
	                                  "64K",
	                                  "--max-connections",
	                                  "1"});
	CHECK(config.json);
	CHECK(config.events);
	CHECK_FALSE(config.colour);
	CHECK(config.duration == std::chrono::milliseconds(2500));
	CHECK(config.filter.min_severity == Severity::warning);
	CHECK(config.filter.remote == parse_endpoint("10.0.0.7:8080"));
	CHECK(config.filter.port == 443);
	CHECK(config.filter.pid == 812);
	CHECK(config.filter.unit == "nginx.service");
	CHECK(config.filter.kinds.empty());
	CHECK(config.probe.filter.netns == 4026531840);
	CHECK(config.probe.hooks == HookChoice::none);
	CHECK(config.probe.ring_size == 65536);
	CHECK(config.max_connections == 1);
}

TEST_CASE("an option may be joined to its value by =", "[app]") {
	CHECK(watch({"--pid=12"}).filter.pid == 12);
	CHECK(watch({"--remote=[::1]:80"}).filter.remote == parse_endpoint("[::1]:80"));
}

TEST_CASE("verdicts may be repeated or separated by commas", "[app]") {
	using Kinds = std::vector<VerdictKind>;
	CHECK(watch({"--verdict", "stale_reuse"}).filter.kinds == Kinds{VerdictKind::stale_reuse});
	const Kinds two{VerdictKind::stale_reuse, VerdictKind::idle_close};
	CHECK(watch({"--verdict", "stale_reuse", "--verdict", "idle_close"}).filter.kinds == two);
	CHECK(watch({"--verdict", "stale_reuse,idle_close"}).filter.kinds == two);
	CHECK(watch({"--verdict=stale_reuse", "--json"}).json);
}

TEST_CASE("what the kernel can filter is filtered there", "[app]") {
	CHECK(watch({"--pid", "812"}).probe.filter.pid == 812);
	CHECK(watch({"--port", "443"}).probe.filter.port == 443);
	CHECK(watch({"--remote", "10.0.0.7:8080"}).probe.filter.port == 8080);
	CHECK(watch({"--port", "443", "--remote", "10.0.0.7:8080"}).probe.filter.port == 8080);
	CHECK(watch({"--netns", "self"}).probe.filter.netns == own_network_namespace());
}

TEST_CASE("demo and doctor have their own options", "[app]") {
	CHECK(std::get<DemoConfig>(parsed({"demo"})).colour);
	CHECK_FALSE(std::get<DemoConfig>(parsed({"demo", "--no-color"})).colour);
	CHECK_FALSE(std::get<DoctorConfig>(parsed({"doctor"})).json);
	CHECK(std::get<DoctorConfig>(parsed({"doctor", "--json"})).json);
	CHECK_THAT(complaint({"demo", "--json"}), Contains("--json"));
	CHECK_THAT(complaint({"doctor", "--no-color"}), Contains("--no-color"));
}

TEST_CASE("a bad value is reported with its option, quoted, and with what is expected", "[app]") {
	struct Bad {
		const char* option;
		const char* value;
		const char* expected;
	};
	const auto bad = GENERATE(values<Bad>({
		{"--duration", "0", "a number of seconds greater than 0"},
		{"--duration", "-5", "a number of seconds greater than 0"},
		{"--verdict", "stale", "a verdict; there are stale_reuse, reuse_race"},
		{"--min-severity", "fatal", "a severity; there are info, notice, warning, error"},
		{"--remote", "10.0.0.7", "an address and port"},
		{"--port", "65536", "a port (1 to 65535)"},
		{"--pid", "0", "a process id (1 to 4194304)"},
		{"--unit", "a/b", "a systemd unit"},
		{"--netns", "blue", "a network namespace"},
		{"--hooks", "kprobe", "a class of hooks; there are automatic, tracepoint"},
		{"--ring-size", "3M", "a ring size: a power of two from 64K to 1G"},
		{"--max-connections", "0", "a number of connections (1 to 67108864)"},
	}));
	const std::string text = complaint({"watch", bad.option, bad.value});
	CAPTURE(text);
	CHECK_THAT(text,
	           Contains(fmt::format("{}: \"{}\" is not {}", bad.option, bad.value, bad.expected)));
	CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("one bad verdict among good ones is the one that is named", "[app]") {
	CHECK_THAT(complaint({"watch", "--verdict", "idle_close,stale"}), Contains("\"stale\""));
	CHECK_THAT(complaint({"watch", "--verdict", "idle_close", "--verdict", "IDLE_CLOSE"}),
	           Contains("\"IDLE_CLOSE\""));
}

TEST_CASE("a missing value is reported with its option", "[app]") {
	const char* const option =
		GENERATE("--duration", "--verdict", "--min-severity", "--remote", "--port", "--pid",
	             "--unit", "--netns", "--hooks", "--ring-size", "--max-connections");
	CHECK(complaint({"watch", option}) == fmt::format("{} needs a value", option));
	CHECK(complaint({"watch", fmt::format("{}=", option).c_str()}) ==
	      fmt::format("{} needs a value", option));
}

TEST_CASE("an option given twice is reported", "[app]") {
	CHECK_THAT(complaint({"watch", "--pid", "1", "--pid", "2"}), Contains("--pid"));
}

TEST_CASE("unknown words are reported, and what there is", "[app]") {
	CHECK_THAT(complaint({"frob"}), Contains("\"frob\"") && Contains("watch, demo and doctor"));
	CHECK_THAT(complaint({"--frob"}), Contains("\"--frob\""));
	CHECK_THAT(complaint({}), Contains("a command is needed: watch, demo or doctor"));
	CHECK_THAT(complaint({"watch", "--frob"}), Contains("--frob"));
	CHECK_THAT(complaint({"watch", "frob"}), Contains("frob"));
	CHECK_THAT(complaint({"watch", "--verdict", "idle_close", "stale_reuse"}),
	           Contains("stale_reuse"));
	CHECK_THAT(complaint({"watch", "demo"}), Contains("demo"));
}

TEST_CASE("hostile words cannot drive the terminal that shows the complaint", "[app]") {
	const Words words = GENERATE(values<Words>({{"\x1b[31m\n"},
	                                            {"watch", "\x1b[31m\n"},
	                                            {"watch", "--\x1b[31m\n"},
	                                            {"watch", "--pid", "\x1b[31m\n"},
	                                            {"watch", "--unit", "/\x1b[31m\n"},
	                                            {"watch", "--netns", "/\x1b[31m\n"},
	                                            {"watch", "--json=\x1b[31m\n"}}));
	const std::string text = complaint(words);
	CAPTURE(text);
	CHECK_THAT(text, Contains("\\x1b[31m\\x0a"));
	CHECK(text.find_first_of("\x1b\n") == std::string::npos);
}

TEST_CASE("the help names every command and option, and the exit codes", "[app]") {
	const std::string all = text_of({"--help"});
	for (const char* word : {"watch", "demo", "doctor", "--help", "--version", "Exit codes: 0"}) {
		CHECK_THAT(all, Contains(word));
	}
	const std::string help = text_of({"watch", "--help"});
	for (const char* option :
	     {"--json", "--events", "--no-color", "--duration S", "--verdict V", "--min-severity S",
	      "--remote A:P", "--port P", "--pid N", "--unit U", "--netns N", "--hooks CLASS",
	      "--ring-size BYTES", "--max-connections N", "Exit codes: 0"}) {
		CHECK_THAT(help, Contains(option));
	}
	CHECK(help.find('{') == std::string::npos); // no values of flags
	CHECK(help.back() != '\n');
	CHECK_THAT(text_of({"demo", "--help"}), Contains("--no-color"));
	CHECK_THAT(text_of({"doctor", "-h"}), Contains("--json"));
}

TEST_CASE("help tells the defaults that are in force", "[app]") {
	const WatchConfig config = watch({});
	const std::string help = text_of({"watch", "--help"});
	CHECK_THAT(help, Contains(fmt::format("({})", config.max_connections)));
	CHECK_THAT(help, Contains(fmt::format("({}M)", config.probe.ring_size >> 20U)));
}

TEST_CASE("the version is told by --version", "[app]") {
	CHECK(text_of({"--version"}) == fmt::format("stalesock {}", version));
}

} // namespace stalesock::test
