// SPDX-License-Identifier: Apache-2.0
// Time in the tests. The only sleeps are idle gaps, which are what a scenario is about.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace runtime {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Nobody sends or receives: longer than the 100 ms from which the product calls a connection idle.
inline constexpr milliseconds idle_gap{150};
/// Long enough for any loaded or emulated machine; only a failing test waits for it.
inline constexpr milliseconds patience{60'000};

inline void stay_idle(milliseconds gap = idle_gap) {
	std::this_thread::sleep_for(gap);
}

inline double elapsed_ms(Clock::time_point from, Clock::time_point to) {
	return std::chrono::duration<double, std::milli>(to - from).count();
}

/// Whether the condition became true in time.
inline bool eventually(const std::function<bool()>& condition, milliseconds limit = patience) {
	const auto deadline = Clock::now() + limit;
	while (!condition()) {
		if (Clock::now() >= deadline) {
			return false;
		}
		std::this_thread::sleep_for(milliseconds(1));
	}
	return true;
}

} // namespace runtime
