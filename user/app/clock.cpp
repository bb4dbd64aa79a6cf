// SPDX-License-Identifier: Apache-2.0
#include "app/clock.hpp"

#include "probe/probe.hpp"

namespace stalesock {

Moment read_clocks() {
	return {boot_time_now(),
	        std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now())};
}

WallTime wall_time(Nanoseconds boot, const Moment& now) {
	return now.wall - (now.boot - boot);
}

} // namespace stalesock
