// SPDX-License-Identifier: Apache-2.0
#include "capture/end.hpp"

#include <algorithm>

namespace stalesock {

void Distance::sample(Nanoseconds reply) {
	reply = std::max(reply, Nanoseconds::zero());
	there_and_back_ = std::min(there_and_back_.value_or(reply), reply);
}

bool Distance::is_here() const {
	constexpr Nanoseconds near_enough = std::chrono::milliseconds(1);
	return there_and_back_ && *there_and_back_ < near_enough;
}

Nanoseconds Distance::one_way() const {
	constexpr Nanoseconds longest = std::chrono::seconds(1); // more is no path, but a late reply
	return !there_and_back_ || is_here() ? Nanoseconds::zero()
	                                     : std::min(*there_and_back_ / 2, longest);
}

} // namespace stalesock
