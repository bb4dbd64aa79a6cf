// SPDX-License-Identifier: Apache-2.0
// What the daemon's configuration files say: stalesock.toml(5).
#pragma once

#include "app/monitor.hpp"
#include "sinks/line_file.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

inline constexpr std::string_view default_config_file = "/etc/stalesock/stalesock.toml";

struct JournalConfig {
	bool enabled = true;
	Severity min_severity = Severity::notice; ///< an idle close is no news for a log
	std::size_t queue = QueuedSink::default_limit;
};

struct LineFileConfig {
	LineFileOptions options; ///< no path: no file
	Severity min_severity = Severity::info;
};

struct DaemonConfig {
	MonitorOptions monitor;
	JournalConfig journal;
	LineFileConfig file;
	std::string metrics_listen; ///< "ADDRESS:PORT", IPv4; empty: nobody can read metrics
	/// Where what was learned is kept; empty: in the folder that systemd names (STATE_DIRECTORY), if it does.
	std::string state_file;
	/// Every setting that a file names, by "section.key", as text.
	std::map<std::string, std::string, std::less<>> texts;
};

/// One thing that can be set.
struct Setting {
	std::string_view key; ///< "section.key"
	/// Checks and keeps; an array comes element by element. Throws std::invalid_argument.
	void (*store)(DaemonConfig& config, const std::string& text);
	bool live;  ///< a reload is enough
	bool array; ///< takes an array too
};
[[nodiscard]] std::span<const Setting> settings();

/// Reads the file, then FILE.d/*.toml by name; the last one that names a setting decides. The default file may be
/// missing. Throws UsageError: "FILE:LINE: section.key: what is wrong".
[[nodiscard]] DaemonConfig load_config(const std::string& file);

/// The settings that differ and are not live.
[[nodiscard]] std::vector<std::string> waiting_settings(const DaemonConfig& running,
                                                        const DaemonConfig& wanted);

} // namespace stalesock
