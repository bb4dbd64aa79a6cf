// SPDX-License-Identifier: Apache-2.0
#include "verdict/observations.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace stalesock {

namespace {

constexpr std::size_t enough = 3; ///< to say anything

std::uint32_t steps_of(Nanoseconds time) {
	const std::int64_t steps = time / Observations::step;
	return static_cast<std::uint32_t>(
		std::clamp<std::int64_t>(steps, 0, std::numeric_limits<std::uint32_t>::max()));
}

} // namespace

Nanoseconds agreement_width(Nanoseconds time) {
	constexpr Nanoseconds jitter = std::chrono::milliseconds(50);
	return std::max(time / 50, std::min(jitter, time / 10));
}

bool Observations::add(Nanoseconds time, Nanoseconds now, const Burst& burst) {
	return values_.add(steps_of(time), now, burst);
}

std::optional<Agreement> Observations::agreement() const {
	const auto found = agreement_of(values_.entries(), Scale::time);
	if (!found) {
		return std::nullopt;
	}
	return Agreement{found->lowest * step, found->highest * step, found->agreeing, size()};
}

std::optional<Agreement> Observations::upper_bound() const {
	if (size() < enough) {
		return std::nullopt;
	}
	std::array<Seen, enough> shortest{};
	std::partial_sort_copy(
		values_.entries().begin(), values_.entries().end(), shortest.begin(), shortest.end(),
		[](const Seen& left, const Seen& right) { return left.value < right.value; });
	return Agreement{shortest.front().value * step, shortest.back().value * step, size(), size()};
}

} // namespace stalesock
