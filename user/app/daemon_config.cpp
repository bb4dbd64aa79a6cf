// SPDX-License-Identifier: Apache-2.0
#include "app/daemon_config.hpp"

#include "app/usage_error.hpp"
#include "app/values.hpp"
#include "model/escape.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <system_error>
#include <toml++/toml.h>

namespace stalesock {

namespace {

bool read_switch(const std::string& text) {
	if (text != "true" && text != "false") {
		throw std::invalid_argument(
			fmt::format("\"{}\" is neither true nor false", escape_untrusted(text)));
	}
	return text == "true";
}

std::string read_absolute_path(const std::string& text) {
	if (!text.empty() && !text.starts_with('/')) {
		throw std::invalid_argument(
			fmt::format("\"{}\" is not an absolute path", escape_untrusted(text)));
	}
	return text;
}

/// Empty: nowhere. Debian's civetweb, which serves metrics, is built without IPv6.
std::string read_listen_address(const std::string& text) {
	if (text.empty()) {
		return text;
	}
	const Endpoint endpoint = read_remote(text);
	if (!endpoint.address.is_ipv4()) {
		throw std::invalid_argument(
			fmt::format("\"{}\" is not an IPv4 address and port: metrics are served on "
		                "IPv4 only",
		                escape_untrusted(text)));
	}
	return to_string(endpoint);
}

constexpr bool live = true;
constexpr bool at_start = false;
constexpr bool array = true;
constexpr bool scalar = false;

constexpr std::array<Setting, 21> table{{
	{"probe.hooks", [](auto& c, const auto& t) { c.monitor.probe.hooks = read_hook_choice(t); },
     at_start, scalar},
	{"probe.ring_size",
     [](auto& c, const auto& t) { c.monitor.probe.ring_size = read_ring_size(t); }, at_start,
     scalar},
	{"probe.scan_interval",
     [](auto& c, const auto& t) { c.monitor.scan_interval = read_scan_interval(t); }, at_start,
     scalar},
	{"probe.network_namespace",
     [](auto& c, const auto& t) { c.monitor.probe.filter.netns = read_network_namespace(t); },
     at_start, scalar},
	{"connections.max",
     [](auto& c, const auto& t) { c.monitor.max_connections = read_connection_limit(t); }, at_start,
     scalar},
	{"peers.max", [](auto& c, const auto& t) { c.monitor.max_peers = read_peer_limit(t); },
     at_start, scalar},
	{"peers.state", [](auto& c, const auto& t) { c.state_file = read_absolute_path(t); }, at_start,
     scalar},
	{"verdicts.only",
     [](auto& c, const auto& t) { c.monitor.filter.kinds.push_back(read_verdict_kind(t)); }, live,
     array},
	{"verdicts.min_severity",
     [](auto& c, const auto& t) { c.monitor.filter.min_severity = read_severity(t); }, live,
     scalar},
	{"verdicts.remote", [](auto& c, const auto& t) { c.monitor.filter.remote = read_remote(t); },
     live, scalar},
	{"verdicts.port", [](auto& c, const auto& t) { c.monitor.filter.port = read_port(t); }, live,
     scalar},
	{"verdicts.unit", [](auto& c, const auto& t) { c.monitor.filter.unit = read_unit(t); }, live,
     scalar},
	{"verdicts.collapse", [](auto& c, const auto& t) { c.monitor.collapse = read_collapse(t); },
     live, scalar},
	{"journal.enabled", [](auto& c, const auto& t) { c.journal.enabled = read_switch(t); }, live,
     scalar},
	{"journal.min_severity",
     [](auto& c, const auto& t) { c.journal.min_severity = read_severity(t); }, live, scalar},
	{"journal.queue", [](auto& c, const auto& t) { c.journal.queue = read_queue_size(t); }, live,
     scalar},
	{"file.path", [](auto& c, const auto& t) { c.file.options.path = read_absolute_path(t); }, live,
     scalar},
	{"file.min_severity", [](auto& c, const auto& t) { c.file.min_severity = read_severity(t); },
     live, scalar},
	{"file.max_size", [](auto& c, const auto& t) { c.file.options.max_size = read_file_size(t); },
     live, scalar},
	{"file.keep", [](auto& c, const auto& t) { c.file.options.keep = read_file_count(t); }, live,
     scalar},
	{"metrics.listen", [](auto& c, const auto& t) { c.metrics_listen = read_listen_address(t); },
     live, scalar},
}};

/// One file of the configuration, for what is said about it.
class ConfigFile {
  public:
	ConfigFile(std::string path, DaemonConfig& config) : path_(std::move(path)), config_(config) {}

	void read() const;

  private:
	[[noreturn]] void fail(const toml::source_region& where, std::string_view what) const;
	void read_section(std::string_view name, const toml::node& node) const;
	void read_setting(const std::string& key, const toml::node& node) const;
	[[nodiscard]] std::string text_of(const std::string& key, const toml::node& node) const;

	std::string path_;
	DaemonConfig& config_;
};

void ConfigFile::fail(const toml::source_region& where, std::string_view what) const {
	throw UsageError(fmt::format("{}:{}: {}", escape_untrusted(path_), where.begin.line,
	                             escape_untrusted(what)));
}

std::string ConfigFile::text_of(const std::string& key, const toml::node& node) const {
	if (const auto* text = node.as_string()) {
		return text->get();
	}
	if (const auto* number = node.as_integer()) {
		return std::to_string(number->get());
	}
	if (const auto* number = node.as_floating_point()) {
		return fmt::format("{}", number->get());
	}
	if (const auto* choice = node.as_boolean()) {
		return choice->get() ? "true" : "false";
	}
	fail(node.source(), fmt::format("{}: a string, a number or a truth value is expected", key));
}

void ConfigFile::read_setting(const std::string& key, const toml::node& node) const {
	const auto* setting = std::find_if(table.begin(), table.end(),
	                                   [&](const Setting& row) { return row.key == key; });
	if (setting == table.end()) {
		fail(node.source(), fmt::format("{}: there is no such setting", key));
	}
	const auto store = [&](const toml::node& value) {
		const std::string text = text_of(key, value);
		try {
			setting->store(config_, text);
		} catch (const std::invalid_argument& problem) {
			fail(value.source(), fmt::format("{}: {}", key, problem.what()));
		}
		config_.texts[key] += fmt::format("{}\n", text);
	};
	config_.texts[key].clear();
	if (const auto* values = node.as_array(); values != nullptr && setting->array) {
		config_.monitor.filter.kinds.clear();
		for (const toml::node& value : *values) {
			store(value);
		}
		return;
	}
	store(node);
}

void ConfigFile::read_section(std::string_view name, const toml::node& node) const {
	const auto is_known = [&](const Setting& row) {
		return row.key.substr(0, row.key.find('.')) == name;
	};
	const auto* section = node.as_table();
	if (section == nullptr || std::none_of(table.begin(), table.end(), is_known)) {
		fail(node.source(), fmt::format("{}: there is no such section", name));
	}
	for (const auto& [key, value] : *section) {
		read_setting(fmt::format("{}.{}", name, key.str()), value);
	}
}

void ConfigFile::read() const {
	std::ifstream file(path_);
	std::ostringstream text;
	text << file.rdbuf();
	if (!file) {
		throw UsageError(fmt::format("{} cannot be read", escape_untrusted(path_)));
	}
	try {
		for (const auto& [name, node] : toml::parse(text.str())) {
			read_section(name.str(), node);
		}
	} catch (const toml::parse_error& error) {
		fail(error.source(), error.description());
	}
}

std::vector<std::string> files_of(const std::string& file) {
	namespace fs = std::filesystem;
	std::vector<std::string> dropins;
	std::error_code error;
	for (const auto& entry : fs::directory_iterator(file + ".d", error)) {
		if (entry.path().extension() == ".toml") {
			dropins.push_back(entry.path().string());
		}
	}
	if (error && error != std::errc::no_such_file_or_directory) {
		throw UsageError(
			fmt::format("{}.d cannot be read: {}", escape_untrusted(file), error.message()));
	}
	std::sort(dropins.begin(), dropins.end());
	if (file != default_config_file || fs::exists(file, error)) {
		dropins.insert(dropins.begin(), file);
	}
	return dropins;
}

} // namespace

std::span<const Setting> settings() {
	return table;
}

DaemonConfig load_config(const std::string& file) {
	DaemonConfig config;
	config.monitor.announce = true;
	for (const std::string& path : files_of(file)) {
		ConfigFile(path, config).read();
	}
	return config;
}

std::vector<std::string> waiting_settings(const DaemonConfig& running, const DaemonConfig& wanted) {
	std::vector<std::string> waiting;
	const auto text = [](const DaemonConfig& config, std::string_view key) {
		const auto found = config.texts.find(key);
		return found == config.texts.end() ? std::string{} : found->second;
	};
	for (const Setting& setting : table) {
		if (!setting.live && text(running, setting.key) != text(wanted, setting.key)) {
			waiting.emplace_back(setting.key);
		}
	}
	return waiting;
}

} // namespace stalesock
