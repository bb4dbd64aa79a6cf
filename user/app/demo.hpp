// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

namespace stalesock {

/// Makes a stale reuse on loopback in a private network namespace and explains it. Returns the exit
/// code: exit_done only if the kernel reported it. Throws KernelRefusal.
[[nodiscard]] int run_demo(const DemoConfig& config);

} // namespace stalesock
