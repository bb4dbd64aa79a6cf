// SPDX-License-Identifier: Apache-2.0
#include "app/daemon_config.hpp"

#include "app/usage_error.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <regex>
#include <sstream>

namespace stalesock::test {

namespace {

using matchers::Contains;
using matchers::StartsWith;

/// A configuration in a folder of its own.
class Files {
  public:
	explicit Files(const std::string& text) { write(path(), text); }

	void add(const std::string& name, const std::string& text) const {
		std::filesystem::create_directory(path() + ".d");
		write(path() + ".d/" + name, text);
	}
	[[nodiscard]] std::string path() const { return folder_ / "s.toml"; }
	[[nodiscard]] DaemonConfig load() const { return load_config(path()); }
	/// What is wrong; empty: nothing.
	[[nodiscard]] std::string complaint() const {
		try {
			static_cast<void>(load());
			return {};
		} catch (const UsageError& error) {
			return error.what();
		}
	}

  private:
	static void write(const std::string& path, const std::string& text) {
		std::ofstream(path) << text;
	}

	ScratchFolder folder_;
};

std::string complaint_about(const std::string& text) {
	return Files(text).complaint();
}

std::string file_text(const std::string& name) {
	std::ifstream file(std::string(STALESOCK_TEST_FILES) + "/../packaging/" + name);
	REQUIRE(file.is_open());
	std::ostringstream text;
	text << file.rdbuf();
	return text.str();
}

/// The configuration as it is shipped, with every setting switched on.
std::string shipped_with_all_settings() {
	return std::regex_replace(file_text("config/stalesock.toml"), std::regex("\n#([a-z_]+ = )"),
	                          "\n$1");
}

} // namespace

TEST_CASE("an empty configuration is the default", "[app][config]") {
	const DaemonConfig config = Files("").load();
	CHECK(config.monitor.announce);
	CHECK(config.monitor.probe.ring_size == ProbeOptions{}.ring_size);
	CHECK(config.journal.enabled);
	CHECK(config.journal.min_severity == Severity::notice);
	CHECK(config.file.options.path.empty());
	CHECK(describe(config.monitor.filter).empty());
}

TEST_CASE("each setting reaches its place", "[app][config]") {
	const DaemonConfig config = Files(R"(
[probe]
hooks = "none"
ring_size = "1M"
scan_interval = 2.5
network_namespace = 4026531840
[connections]
max = 1000
[peers]
max = 500
state = "/var/lib/stalesock/p.json"
[verdicts]
only = ["stale_reuse", "reuse_race"]
min_severity = "warning"
remote = "10.0.0.7:8080"
port = 443
unit = "nginx"
[journal]
enabled = false
min_severity = "error"
queue = "64K"
[file]
path = "/var/log/stalesock/v.jsonl"
min_severity = "notice"
max_size = "1M"
keep = 3
[metrics]
listen = "127.0.0.1:9435"
)")
	                                .load();
	CHECK(config.monitor.probe.hooks == HookChoice::none);
	CHECK(config.monitor.probe.ring_size == 1U << 20);
	CHECK(config.monitor.scan_interval == std::chrono::milliseconds(2500));
	CHECK(config.monitor.probe.filter.netns == 4026531840);
	CHECK(config.monitor.max_connections == 1000);
	CHECK(config.monitor.max_peers == 500);
	CHECK(config.state_file == "/var/lib/stalesock/p.json");
	CHECK(config.monitor.filter.kinds ==
	      std::vector{VerdictKind::stale_reuse, VerdictKind::reuse_race});
	CHECK(config.monitor.filter.min_severity == Severity::warning);
	CHECK(config.monitor.filter.remote.has_value());
	CHECK(config.metrics_listen == "127.0.0.1:9435");
	CHECK(config.monitor.filter.port == 443);
	CHECK(config.monitor.filter.unit == "nginx.service");
	CHECK_FALSE(config.journal.enabled);
	CHECK(config.journal.min_severity == Severity::error);
	CHECK(config.journal.queue == 64U << 10);
	CHECK(config.file.options == LineFileOptions{"/var/log/stalesock/v.jsonl", 1U << 20, 3});
	CHECK(config.file.min_severity == Severity::notice);
}

TEST_CASE("what is wrong is named with its file, line and key", "[app][config]") {
	const Files files("[journal]\nenabled = true\nmin_severity = \"loud\"\n");
	CHECK(files.complaint() ==
	      files.path() + ":3: journal.min_severity: \"loud\" is not a severity; there are info, "
	                     "notice, warning, error");
	CHECK_THAT(complaint_about("[journal]\nvolume = 3\n"),
	           Contains(":2: journal.volume: there is no such setting"));
	CHECK_THAT(complaint_about("\n[jornal]\n"), Contains(":2: jornal: there is no such section"));
	CHECK_THAT(complaint_about("journal = 3\n"), Contains(":1: journal: there is no such section"));
	CHECK_THAT(complaint_about("[probe]\nhooks = [\"none\"]\n"), Contains(":2: probe.hooks: "));
	CHECK_THAT(complaint_about("[verdicts]\nonly = [\n\"stale_reuse\",\n\"stale\"]\n"),
	           Contains(":4: verdicts.only: \"stale\" is not a verdict"));
	CHECK_THAT(complaint_about("[verdicts]\nonly = 5\n"), Contains(":2: verdicts.only: "));
	CHECK_THAT(complaint_about("[file]\npath = \"v.jsonl\"\n"),
	           Contains(":2: file.path: \"v.jsonl\" is not an absolute path"));
	CHECK_THAT(complaint_about("[metrics]\nlisten = \"[::1]:9435\"\n"),
	           Contains(":2: metrics.listen: \"[::1]:9435\" is not an IPv4 address and port"));
	CHECK_THAT(complaint_about("[file]\nkeep = 0\n"), Contains(":2: file.keep: \"0\" is not"));
	CHECK_THAT(complaint_about("[journal]\nenabled = 1\n"),
	           Contains(":2: journal.enabled: \"1\" is neither true nor false"));
}

TEST_CASE("text that is no TOML is named with its line", "[app][config]") {
	const Files files("[journal]\nenabled = = true\n");
	CHECK_THAT(files.complaint(), StartsWith(files.path() + ":2: "));
	CHECK_THAT(complaint_about(std::string("[a\0b]\n", 6)), Contains(":1: "));
	const std::string hostile = complaint_about("[journal]\n\"\\u001b[31m\" = 1\n");
	CHECK_THAT(hostile, Contains(":2: ") && Contains("\\x1b"));
	CHECK(hostile.find('\x1b') == std::string::npos);
}

TEST_CASE("a file that is not there is named, but the default one need not be", "[app][config]") {
	const ScratchFolder folder;
	CHECK_THROWS_WITH(load_config(folder / "absent.toml"), Contains("absent.toml cannot be read"));
	if (!std::filesystem::exists(default_config_file)) {
		CHECK_NOTHROW(load_config(std::string{default_config_file}));
	}
}

TEST_CASE("drop-ins are read by name after the file, and the last one decides", "[app][config]") {
	const Files files("[journal]\nmin_severity = \"info\"\n[verdicts]\nonly = [\"stale_reuse\"]\n");
	files.add("20-b.toml", "[journal]\nmin_severity = \"error\"\n");
	files.add("10-a.toml", "[journal]\nmin_severity = \"warning\"\nqueue = \"1M\"\n"
	                       "[verdicts]\nonly = [\"reuse_race\"]\n");
	files.add("30-c.conf", "this is not read");
	const DaemonConfig config = files.load();
	CHECK(config.journal.min_severity == Severity::error);
	CHECK(config.journal.queue == 1U << 20);
	CHECK(config.monitor.filter.kinds == std::vector{VerdictKind::reuse_race});

	files.add("40-d.toml", "[journal]\n\nqueue = 1\n");
	CHECK_THAT(files.complaint(), Contains("s.toml.d/40-d.toml:3: journal.queue: "));
}

TEST_CASE("a reload says which settings wait for a start", "[app][config]") {
	const DaemonConfig before =
		Files("[probe]\nring_size = \"1M\"\n[journal]\nenabled = true\n").load();
	const DaemonConfig after =
		Files("[probe]\nring_size = \"2M\"\n[journal]\nenabled = false\n[connections]\nmax = 5\n")
			.load();
	CHECK(waiting_settings(before, after) ==
	      std::vector<std::string>{"probe.ring_size", "connections.max"});
	CHECK(waiting_settings(after, after).empty());
}

TEST_CASE("the shipped configuration shows every setting, and changes nothing", "[app][config]") {
	CHECK(Files(file_text("config/stalesock.toml")).load().texts.empty());
	const std::string text = shipped_with_all_settings();
	const DaemonConfig config = Files(text).load();
	for (const Setting& setting : settings()) {
		CAPTURE(setting.key);
		CHECK(config.texts.count(setting.key) == 1);
	}
}

TEST_CASE("the defaults that the shipped configuration shows are the defaults", "[app][config]") {
	// Those without a default are shown with an example.
	const std::regex examples("\n(network_namespace|only|remote|port|unit|path|listen) = [^\n]*");
	const DaemonConfig shown =
		Files(std::regex_replace(shipped_with_all_settings(), examples, "")).load();
	const DaemonConfig defaults = Files("").load();
	CHECK(shown.texts.size() + 7 == settings().size());
	CHECK(shown.monitor.probe.hooks == defaults.monitor.probe.hooks);
	CHECK(shown.monitor.probe.ring_size == defaults.monitor.probe.ring_size);
	CHECK(shown.monitor.scan_interval == defaults.monitor.scan_interval);
	CHECK(shown.monitor.max_connections == defaults.monitor.max_connections);
	CHECK(shown.monitor.filter.min_severity == defaults.monitor.filter.min_severity);
	CHECK(shown.journal.enabled == defaults.journal.enabled);
	CHECK(shown.journal.min_severity == defaults.journal.min_severity);
	CHECK(shown.journal.queue == defaults.journal.queue);
	CHECK(shown.file.options == defaults.file.options);
	CHECK(shown.file.min_severity == defaults.file.min_severity);
}

} // namespace stalesock::test
