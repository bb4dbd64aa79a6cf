// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

namespace stalesock {

/// Returns the exit code. Throws KernelRefusal, and std::runtime_error without a terminal.
[[nodiscard]] int run_top(const TopConfig& config);

} // namespace stalesock
