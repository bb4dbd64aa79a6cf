// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include "app/version.hpp"
#include "probe/namespaces.hpp"
#include "support/catch.hpp"

#include <fmt/format.h>

namespace stalesock::test {

namespace {

using matchers::Contains;
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
	CHECK(config.scan_interval == std::chrono::seconds(10));
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
	                                  "--scan-interval",
	                                  "0.25",
	                                  "--ring-size",
	                                  "64K",
	                                  "--max-connections",
	                                  "1",
	                                  "--max-peers",
	                                  "2"});
	CHECK(config.max_peers == 2);
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
	CHECK(config.scan_interval == std::chrono::milliseconds(250));
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

TEST_CASE("each option of record reaches its place", "[app]") {
	const auto plain = std::get<RecordConfig>(parsed({"record", "-o", "trace"}));
	CHECK(plain.file == "trace");
	CHECK_FALSE(plain.anonymize);
	CHECK_FALSE(plain.force);
	CHECK_FALSE(plain.duration.has_value());
	CHECK(plain.probe.ring_size == 4U << 20);
	CHECK(plain.scan_interval == WatchConfig{}.scan_interval);
	const auto config = std::get<RecordConfig>(
		parsed({"record", "--output=trace", "--force", "--anonymize", "--duration", "2.5", "--port",
	            "443", "--pid", "812", "--netns", "4026531840", "--hooks", "none",
	            "--scan-interval", "0.25", "--ring-size", "64K"}));
	CHECK(config.file == "trace");
	CHECK(config.force);
	CHECK(config.anonymize);
	CHECK(config.duration == std::chrono::milliseconds(2500));
	CHECK(config.probe.filter.port == 443);
	CHECK(config.probe.filter.pid == 812);
	CHECK(config.probe.filter.netns == 4026531840);
	CHECK(config.probe.hooks == HookChoice::none);
	CHECK(config.scan_interval == std::chrono::milliseconds(250));
	CHECK(config.probe.ring_size == 65536);
}

TEST_CASE("each option of replay reaches its place", "[app]") {
	const auto plain = std::get<ReplayConfig>(parsed({"replay", "trace"}));
	CHECK(plain.file == "trace");
	CHECK(plain.colour);
	CHECK_FALSE(plain.json);
	CHECK_FALSE(plain.events);
	CHECK(describe(plain.filter).empty());
	const auto config = std::get<ReplayConfig>(
		parsed({"replay", "--json", "--events", "--no-color", "--verdict", "stale_reuse",
	            "--min-severity", "warning", "--remote", "10.0.0.7:8080", "--port", "443", "--pid",
	            "812", "--max-connections", "9", "trace"}));
	CHECK(config.file == "trace");
	CHECK(config.json);
	CHECK(config.events);
	CHECK_FALSE(config.colour);
	CHECK(config.filter.kinds == std::vector<VerdictKind>{VerdictKind::stale_reuse});
	CHECK(config.filter.min_severity == Severity::warning);
	CHECK(config.filter.remote == parse_endpoint("10.0.0.7:8080"));
	CHECK(config.filter.port == 443);
	CHECK(config.filter.pid == 812);
	CHECK(config.max_connections == 9);
}

TEST_CASE("each option of explain reaches its place", "[app]") {
	const auto plain = std::get<ExplainConfig>(parsed({"explain", "3d2d66e-2"}));
	CHECK(plain.id == "3d2d66e-2");
	CHECK(plain.recording.empty());
	CHECK(plain.json.empty());
	CHECK(plain.svg.empty());
	CHECK(plain.time.empty());
	CHECK(plain.diagram.width == 0);
	CHECK_FALSE(plain.diagram.ascii);
	CHECK(plain.diagram.colour);
	const auto config = std::get<ExplainConfig>(
		parsed({"explain", "3d2d66e", "--recording", "trace", "--svg", "out.svg", "--force",
	            "--ascii", "--width", "60", "--time", "2026-11-21", "--no-color"}));
	CHECK(config.recording == "trace");
	CHECK(config.svg == "out.svg");
	CHECK(config.force);
	CHECK(config.diagram.ascii);
	CHECK(config.diagram.width == 60);
	CHECK_FALSE(config.diagram.colour);
	CHECK(config.time == "2026-11-21");
	CHECK(std::get<ExplainConfig>(parsed({"explain", "1-1", "--json", "-"})).json == "-");
}

TEST_CASE("explain refuses what makes no sense", "[app]") {
	CHECK_THAT(complaint({"explain"}), Contains("ID is required"));
	for (const char* id : {"", "a b", "\x1b[31m", "../x"}) {
		CHECK_THAT(complaint({"explain", id}), Contains("is not an id"));
	}
	CHECK_THAT(complaint({"explain", std::string(65, 'a').c_str()}), Contains("is not an id"));
	CHECK_THAT(complaint({"explain", "1-1", "--json", "a", "--recording", "b"}),
	           Contains("--json"));
	CHECK_THAT(complaint({"explain", "1-1", "--force"}), Contains("--svg"));
	for (const char* width : {"39", "81", "wide"}) {
		CHECK_THAT(complaint({"explain", "1-1", "--width", width}), Contains("--width"));
	}
	CHECK_NOTHROW(parsed({"explain", "1-1", "--width", "40"}));
	CHECK_NOTHROW(parsed({"explain", "1-1", "--width", "80"}));
}

TEST_CASE("watch and replay draw for people only", "[app]") {
	CHECK(std::get<WatchConfig>(parsed({"watch", "--explain", "--ascii"})).explain);
	CHECK(std::get<ReplayConfig>(parsed({"replay", "trace", "--explain"})).explain);
	CHECK_THAT(complaint({"watch", "--explain", "--json"}), Contains("--json"));
	CHECK_THAT(complaint({"replay", "trace", "--ascii"}), Contains("--explain"));
}

TEST_CASE("record and replay need a file, and refuse what makes no sense for them", "[app]") {
	CHECK_THAT(complaint({"record"}), Contains("--output is required"));
	CHECK_THAT(complaint({"replay"}), Contains("FILE is required"));
	CHECK(complaint({"record", "-o"}) == "--output needs a value");
	CHECK_THAT(complaint({"record", "trace"}), Contains("--output is required"));
	CHECK_THAT(complaint({"record", "-o", "trace", "--json"}), Contains("--json"));
	CHECK_THAT(complaint({"record", "-o", "trace", "--port", "0"}),
	           Contains("--port: \"0\" is not a port"));
	CHECK_THAT(complaint({"replay", "trace", "--unit", "nginx"}), Contains("--unit"));
	CHECK_THAT(complaint({"replay", "trace", "--duration", "1"}), Contains("--duration"));
	CHECK_THAT(complaint({"replay", "one", "two"}), Contains("two"));
}

TEST_CASE("each option of peers reaches its place", "[app]") {
	const auto plain = std::get<PeersConfig>(parsed({"peers"}));
	CHECK(plain.states.empty());
	CHECK(plain.recording.empty());
	CHECK_FALSE(plain.address.has_value());
	CHECK_FALSE(plain.json);
	CHECK(plain.order == PeerOrder::endpoint);
	const auto full =
		std::get<PeersConfig>(parsed({"peers", "--state", "a", "--state", "b", "--json", "--remote",
	                                  "10.0.0.7:8080", "--sort", "near"}));
	CHECK(full.states == std::vector<std::string>{"a", "b"});
	CHECK(full.address == parse_address("10.0.0.7"));
	CHECK(full.port == 8080);
	CHECK(full.order == PeerOrder::near_misses);
	CHECK(full.json);
	const auto address =
		std::get<PeersConfig>(parsed({"peers", "--recording", "r", "--remote", "2001:db8::7"}));
	CHECK(address.recording == "r");
	CHECK(address.address == parse_address("2001:db8::7"));
	CHECK_FALSE(address.port.has_value());
	CHECK_THROWS_AS(parsed({"peers", "--state", "a", "--recording", "r"}), UsageError);
	CHECK_THROWS_AS(parsed({"peers", "--sort", "size"}), UsageError);
	CHECK_THROWS_AS(parsed({"peers", "--remote", "10.0.0"}), UsageError);
	CHECK_THROWS_AS(parsed({"watch", "--max-peers", "0"}), UsageError);
}

TEST_CASE("demo and doctor have their own options", "[app]") {
	CHECK(std::get<DemoConfig>(parsed({"demo"})).colour);
	CHECK_FALSE(std::get<DemoConfig>(parsed({"demo", "--no-color"})).colour);
	CHECK_FALSE(std::get<DoctorConfig>(parsed({"doctor"})).json);
	CHECK(std::get<DoctorConfig>(parsed({"doctor", "--json"})).json);
	CHECK(std::get<DoctorConfig>(parsed({"doctor", "--hooks", "none"})).hooks == HookChoice::none);
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
		{"--scan-interval", "0", "a number of seconds (0.1 to 3600)"},
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
	const char* const option = GENERATE("--duration", "--verdict", "--min-severity", "--remote",
	                                    "--port", "--pid", "--unit", "--netns", "--hooks",
	                                    "--scan-interval", "--ring-size", "--max-connections");
	CHECK(complaint({"watch", option}) == fmt::format("{} needs a value", option));
	CHECK(complaint({"watch", fmt::format("{}=", option).c_str()}) ==
	      fmt::format("{} needs a value", option));
}

TEST_CASE("an option given twice is reported", "[app]") {
	CHECK_THAT(complaint({"watch", "--pid", "1", "--pid", "2"}), Contains("--pid"));
}

TEST_CASE("unknown words are reported, and what there is", "[app]") {
	CHECK_THAT(
		complaint({"frob"}),
		Contains("\"frob\"") &&
			Contains("watch, list, top, record, replay, explain, peers, daemon, demo and doctor"));
	CHECK_THAT(complaint({"--frob"}), Contains("\"--frob\""));
	CHECK_THAT(complaint({}), Contains("a command is needed: watch, list, top, record, replay, "
	                                   "explain, peers, daemon, demo or doctor"));
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
	for (const char* word : {"watch", "record", "replay", "explain", "demo", "doctor", "--help",
	                         "--version", "Exit codes: 0"}) {
		CHECK_THAT(all, Contains(word));
	}
	const std::string help = text_of({"watch", "--help"});
	for (const char* option :
	     {"--json", "--events", "--no-color", "--duration S", "--verdict V", "--min-severity S",
	      "--remote A:P", "--port P", "--pid N", "--unit U", "--netns N", "--hooks CLASS",
	      "--scan-interval S", "--ring-size BYTES", "--max-connections N", "Exit codes: 0"}) {
		CHECK_THAT(help, Contains(option));
	}
	CHECK(help.find('{') == std::string::npos); // no values of flags
	CHECK(help.back() != '\n');
	const std::string record = text_of({"record", "--help"});
	CHECK_THAT(record, Contains("--output FILE") && Contains("--anonymize") &&
	                       Contains("--force") && Contains("never a byte of what was said") &&
	                       Contains("Exit codes: 0"));
	CHECK_THAT(text_of({"replay", "--help"}), Contains("FILE") && Contains("--json"));
	CHECK_THAT(text_of({"demo", "--help"}), Contains("--no-color"));
	CHECK_THAT(text_of({"doctor", "-h"}), Contains("--json"));
}

TEST_CASE("help tells the defaults that are in force", "[app]") {
	const WatchConfig config = watch({});
	const std::string help = text_of({"watch", "--help"});
	CHECK_THAT(help, Contains(fmt::format("({})", config.scan_interval / std::chrono::seconds(1))));
	CHECK_THAT(help, Contains(fmt::format("({})", config.max_connections)));
	CHECK_THAT(help, Contains(fmt::format("({}M)", config.probe.ring_size >> 20U)));
}

TEST_CASE("the version is told by --version", "[app]") {
	CHECK(text_of({"--version"}) == fmt::format("stalesock {}", version));
}

TEST_CASE("the daemon takes a configuration, and can only check it", "[app]") {
	const auto daemon = std::get<DaemonCommand>(parsed({"daemon"}));
	CHECK(daemon.config == "/etc/stalesock/stalesock.toml");
	CHECK_FALSE(daemon.check);
	const auto check =
		std::get<DaemonCommand>(parsed({"daemon", "--config", "/tmp/s.toml", "--check"}));
	CHECK(check.config == "/tmp/s.toml");
	CHECK(check.check);
	CHECK_THAT(complaint({"daemon", "--config"}), Contains("--config"));
}

} // namespace stalesock::test
