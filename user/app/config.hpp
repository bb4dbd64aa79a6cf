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
	bool json = false;
	bool events = false;
	bool colour = true; ///< as far as the terminal wants it
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

using Command = std::variant<ShowText, WatchConfig, DemoConfig, DoctorConfig>;

} // namespace stalesock
