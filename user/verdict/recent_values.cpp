// SPDX-License-Identifier: Apache-2.0
#include "verdict/recent_values.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace stalesock {

std::int32_t second_of(Nanoseconds time) {
	using Limits = std::numeric_limits<std::int32_t>;
	const auto seconds = std::chrono::floor<std::chrono::seconds>(time).count();
	return static_cast<std::int32_t>(
		std::clamp<std::int64_t>(seconds, Limits::min(), Limits::max()));
}

bool RecentValues::crowded(Nanoseconds now, const Burst& burst) {
	if (in_moment_ == 0 || std::chrono::abs(now - moment_) >= burst.length) {
		moment_ = now;
		in_moment_ = 0;
	}
	if (in_moment_ == burst.size) {
		return true;
	}
	in_moment_++;
	return false;
}

void RecentValues::keep_latest() {
	if (entries_.size() > capacity) {
		entries_.erase(entries_.begin(), entries_.end() - static_cast<std::ptrdiff_t>(capacity));
	}
}

bool RecentValues::add(std::uint32_t value, Nanoseconds now, const Burst& burst) {
	if (crowded(now, burst)) {
		return false;
	}
	forget_old(now);
	entries_.push_back({value, second_of(now)});
	keep_latest();
	return true;
}

bool RecentValues::forget_old(Nanoseconds now) {
	const std::int32_t oldest = second_of(now - memory);
	return std::erase_if(entries_, [&](const Seen& seen) { return seen.second < oldest; }) != 0;
}

void RecentValues::merge(std::span<const Seen> others) {
	std::vector<Seen> all = entries_;
	std::copy_if(others.begin(), others.end(), std::back_inserter(all), [&](const Seen& seen) {
		return std::find(entries_.begin(), entries_.end(), seen) == entries_.end();
	});
	std::stable_sort(all.begin(), all.end(), [](const Seen& left, const Seen& right) {
		return left.second < right.second;
	});
	entries_ = std::move(all);
	keep_latest();
}

} // namespace stalesock
