// SPDX-License-Identifier: Apache-2.0
// The file that what was learned is kept in.
#pragma once

#include "app/clock.hpp"
#include "state/state.hpp"
#include "verdict/engine.hpp"

#include <string>

namespace stalesock {

inline constexpr const char* default_state_file = "/var/lib/stalesock/peers.json";

/// This host, this boot, and now.
[[nodiscard]] Place place_here(const Moment& now);

/// Throws StateRefused, its text with the file's name in front, and std::system_error when the file cannot be read.
[[nodiscard]] SavedState read_state_file(const std::string& path);

/// Replaces the file at once: whenever the machine stops, the old text or the new one is there. Throws
/// std::system_error, and then the old file is as it was.
void write_state_file(const std::string& path, const std::string& text);

struct StateRecovery {
	StateMerge merged;
	std::string problem; ///< one sentence, safe to print; empty: none
};

/// For a start that must not fail: takes in what the file has; none is no problem. One that cannot be used is renamed to
/// FILE.refused (or .refused.1, ...), so that the next save does not overwrite it.
StateRecovery recover_state(const std::string& path, const Place& now, Peers& peers,
                            Listeners& listeners);

/// Takes in what the file has, if there is one. Returns the problem, one sentence; empty: none.
[[nodiscard]] std::string load_learned(const std::string& path, Engine& engine, const Moment& now);

/// All that is known, for write_state_file().
[[nodiscard]] std::string learned_text(Engine& engine, const Moment& now);

} // namespace stalesock
