// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

namespace stalesock {

/// Returns the exit code. Throws KernelRefusal.
[[nodiscard]] int run_list(const ListConfig& config);

} // namespace stalesock
