// SPDX-License-Identifier: Apache-2.0
// What values that vary agree on.
#pragma once

#include "verdict/recent_values.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace stalesock {

/// What values are: times in steps of 0.1 ms, or counts, which agree only when they are equal.
enum class Scale : std::uint8_t { time, count };

struct ValueAgreement {
	std::uint32_t lowest = 0;
	std::uint32_t highest = 0;
	std::uint32_t agreeing = 0; ///< values that agree on one of those believed
};

/// How Observations describes it; `in_order` is oldest first. Nothing while nothing is believed.
[[nodiscard]] std::optional<ValueAgreement> agreement_of(std::span<const Seen> in_order,
                                                         Scale scale);

} // namespace stalesock
