// SPDX-License-Identifier: Apache-2.0
// The only place that reads clocks; everything below is told the time.
#pragma once

#include "sinks/sink.hpp"

namespace stalesock {

/// The same moment on both clocks.
struct Moment {
	Nanoseconds boot{};
	WallTime wall{};
};

[[nodiscard]] Moment read_clocks();

/// Wall time of an event, correct as long as nobody stepped the clock between it and `now`.
[[nodiscard]] WallTime wall_time(Nanoseconds boot, const Moment& now);

} // namespace stalesock
