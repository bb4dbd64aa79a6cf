// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config.hpp"

namespace stalesock {

/// Returns the exit code; exit_failed when there is no such verdict, or more than one. Throws UsageError.
[[nodiscard]] int run_explain(const ExplainConfig& config);

} // namespace stalesock
