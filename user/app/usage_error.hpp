// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>

namespace stalesock {

/// Wrong usage or configuration: exit code 2. what() is one line that names the option, the value or the place
/// in a file, safe to print.
class UsageError : public std::runtime_error {
  public:
	using std::runtime_error::runtime_error;
};

} // namespace stalesock
