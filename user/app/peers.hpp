// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

namespace stalesock {

/// Returns the exit code. Throws UsageError.
[[nodiscard]] int run_peers(const PeersConfig& config);

} // namespace stalesock
