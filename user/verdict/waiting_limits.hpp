// SPDX-License-Identifier: Apache-2.0
// How long a connection may wait for its application.
#pragma once

#include "model/event.hpp"

namespace stalesock {

/// From when on it is worth a verdict. Times of at least one tick; longer ones are seen by the next scan.
struct WaitingLimits {
	Nanoseconds close_wait = std::chrono::seconds(60); ///< in CLOSE_WAIT
	Nanoseconds dirty_idle = std::chrono::seconds(10); ///< silent, with bytes unread
};

} // namespace stalesock
