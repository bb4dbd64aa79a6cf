// SPDX-License-Identifier: Apache-2.0
// The command line.
#pragma once

#include "app/config.hpp"
#include "app/usage_error.hpp"

namespace stalesock {

/// Throws UsageError.
[[nodiscard]] Command parse_command_line(int argc, const char* const* argv);

} // namespace stalesock
