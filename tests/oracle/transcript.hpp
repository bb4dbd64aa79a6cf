// SPDX-License-Identifier: Apache-2.0
// Reads the JSON lines of `stalesock watch`.
#pragma once

#include "watcher.hpp"

#include <string_view>

namespace oracle {

/// Throws std::runtime_error when a line is not what the contract says.
[[nodiscard]] Transcript parse_transcript(std::string_view output);

} // namespace oracle
