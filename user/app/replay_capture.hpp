// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"
#include "app/replay_input.hpp"

namespace stalesock {

/// Of a packet capture. Returns the exit code. Throws UsageError.
[[nodiscard]] int replay_capture(const ReplayConfig& config, ReplayInput& input);

} // namespace stalesock
