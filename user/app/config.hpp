// SPDX-License-Identifier: Apache-2.0
// What was asked for, checked once, before anything privileged.
#pragma once

#include "app/filter.hpp"
#include "probe/probe.hpp"
#include "verdict/engine.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>

namespace stalesock {

struct WatchConfig {
	ProbeOptions probe;
	std::size_t max_connections = EngineOptions{}.max_connections;
	VerdictFilter filter;
	std::optional<std::chrono::microseconds> duration;
	/// How often owners are looked up, and late writes where no hook sees them.
	std::chrono::microseconds scan_interval = std::chrono::seconds(10);
	bool json = false;
	bool events = false;
	bool colour = true; ///< as far as the terminal wants it
};

struct RecordConfig {
	ProbeOptions probe;
	std::string file;
	std::optional<std::chrono::microseconds> duration;
	std::chrono::microseconds scan_interval = WatchConfig{}.scan_interval;
	bool anonymize = false;
	bool force = false; ///< overwrite an existing file
};

struct ReplayConfig {
	std::string file;
	std::size_t max_connections = EngineOptions{}.max_connections;
	VerdictFilter filter;
	bool json = false;
	bool events = false;
	bool colour = true;
};

struct DemoConfig {
	bool colour = true;
};

struct DoctorConfig {
	bool json = false;
};

/// --help and --version.
struct ShowText {
	std::string text;
};

using Command =
	std::variant<ShowText, WatchConfig, RecordConfig, ReplayConfig, DemoConfig, DoctorConfig>;

} // namespace stalesock
