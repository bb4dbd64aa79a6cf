// SPDX-License-Identifier: Apache-2.0
// What the program under test is told, so that a run need not wait for a minute.
#pragma once

#include "capture.hpp"

namespace oracle {

/// --close-wait and --dirty-idle.
inline constexpr std::chrono::seconds waiting_limit{1};
/// --scan-interval: how much later a socket that waits is seen.
inline constexpr std::chrono::seconds scan_interval{1};
/// How late a scan may come: the program under test gets as little of a busy machine as all others.
inline constexpr std::chrono::seconds longest_scan_delay{2};

} // namespace oracle
