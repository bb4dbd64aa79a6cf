// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

namespace stalesock {

/// Returns the exit code. Throws UsageError and KernelRefusal.
[[nodiscard]] int run_record(const RecordConfig& config);

} // namespace stalesock
