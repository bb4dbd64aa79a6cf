// SPDX-License-Identifier: Apache-2.0
// The command line.
#pragma once

#include "app/config.hpp"

#include <stdexcept>

namespace stalesock {

/// Wrong usage: exit code 2. what() is one line that names the option or value, safe to print.
class UsageError : public std::runtime_error {
  public:
	using std::runtime_error::runtime_error;
};

[[nodiscard]] Command parse_command_line(int argc, const char* const* argv);

} // namespace stalesock
