// SPDX-License-Identifier: Apache-2.0
// Wall-clock time and durations as people and programs read them.
#pragma once

#include "sinks/sink.hpp"

#include <string>

namespace stalesock {

/// "2026-11-21T02:40:00.123456Z"
[[nodiscard]] std::string utc_text(WallTime time);

/// "02:40:00.123" in the time zone of the environment.
[[nodiscard]] std::string local_text(WallTime time);

/// Milliseconds rounded to 0.1 (values read from jiffies) or to 0.001.
[[nodiscard]] double coarse_ms(Nanoseconds duration);
[[nodiscard]] double fine_ms(Nanoseconds duration);

} // namespace stalesock
