// SPDX-License-Identifier: Apache-2.0
// What the options of several commands are made of.
#pragma once

#include "app/values.hpp"

#include <CLI/CLI.hpp>
#include <optional>
#include <stdexcept>
#include <string>

namespace stalesock {

/// An option whose text `store` checks and keeps; what it rejects is reported with the option's name.
template <typename Store>
CLI::Option* add_value(CLI::App& app, const std::string& name, const char* type, const char* help,
                       Store store) {
	const auto read = [name, store](const std::string& text) {
		try {
			store(text);
		} catch (const std::invalid_argument& problem) {
			throw CLI::ValidationError(name, problem.what());
		}
	};
	return app.add_option_function<std::string>(name, read, help)->type_name(type);
}

inline void add_peers_file(CLI::App& app, std::optional<std::string>& file) {
	add_value(app, "--peers", "FILE",
	          "What was learned before: a saved state (by default the daemon's, if there is one)",
	          [&](const std::string& text) { file = read_path(text); });
}

inline void add_no_colour(CLI::App& app, bool& colour) {
	app.add_flag_callback(
		"--no-color", [&colour] { colour = false; }, "No colour on a terminal (also: NO_COLOR)");
}

} // namespace stalesock
