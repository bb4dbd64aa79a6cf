// SPDX-License-Identifier: Apache-2.0
#include "verdict/observations.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <vector>

namespace stalesock {

namespace {

using Step = std::uint32_t;
using Steps = std::span<const Step>;

constexpr Nanoseconds step = std::chrono::microseconds(100);
constexpr Step steps_per_second = std::chrono::seconds(1) / step;

constexpr std::size_t enough = 3;      ///< closes that agree
constexpr std::size_t run = 4;         ///< closes in a row that show a change
constexpr std::size_t share = 4;       ///< one of so many closes has to agree
constexpr std::size_t recent = 12;     ///< of so many last closes one has to agree
constexpr std::uint8_t burst_size = 3; ///< closes of one moment that count
constexpr Nanoseconds burst_length = std::chrono::milliseconds(100);

/// Below a second, closes of a coarse timer cannot be told from early ones.
constexpr Step shortest_coarse = steps_per_second * 19 / 20;

static_assert(sizeof(Observations) <= 144);

Step width_at(Step time) {
	return static_cast<Step>(agreement_width(time * step) / step);
}

/// Part of a sorted list: all times from the first to the last.
struct Range {
	std::size_t begin = 0;
	std::size_t end = 0;

	[[nodiscard]] std::size_t size() const { return end - begin; }
};

Range reach(Steps sorted, std::size_t begin, Step width) {
	const auto beyond =
		std::find_if(sorted.begin() + static_cast<std::ptrdiff_t>(begin), sorted.end(),
	                 [&](Step time) { return time - sorted[begin] > width; });
	return {begin, static_cast<std::size_t>(beyond - sorted.begin())};
}

/// The mode: where most closes agree; the lowest such place.
Range densest(Steps sorted) {
	Range best;
	for (std::size_t i = 0; i < sorted.size(); i++) {
		const Range range = reach(sorted, i, width_at(sorted[i]));
		if (range.size() > best.size()) {
			best = range;
		}
	}
	return best;
}

/// The fullest second around the mode.
Range fullest_second(Steps sorted, const Range& mode) {
	Range best = mode;
	for (std::size_t i = mode.begin + 1; i-- > 0;) {
		const Range range = reach(sorted, i, steps_per_second + width_at(sorted[i]));
		if (range.end < mode.end || sorted[i] < shortest_coarse) {
			break;
		}
		if (range.size() > best.size()) {
			best = range;
		}
	}
	return best;
}

/// Fewer than two thirds of the closes in that second agree with each other.
bool is_coarse(Steps sorted) {
	return 3 * densest(sorted).size() < 2 * sorted.size();
}

/// The mode itself, or all of a second when the mode is only the fullest part of it. After a small change of an
/// exact timeout old and new closes lie within a second too: the latest ones tell.
Range mode_of(Steps sorted, Steps latest) {
	const Range mode = densest(sorted);
	if (mode.size() < enough) {
		return {};
	}
	const Range second = fullest_second(sorted, mode);
	std::vector<Step> latest_in_second;
	std::copy_if(
		latest.begin(), latest.end(), std::back_inserter(latest_in_second),
		[&](Step time) { return sorted[second.begin] <= time && time <= sorted[second.end - 1]; });
	std::sort(latest_in_second.begin(), latest_in_second.end());
	const bool coarse =
		is_coarse(sorted.subspan(second.begin, second.size())) && is_coarse(latest_in_second);
	return coarse ? second : mode;
}

Steps last_of(Steps in_order, std::size_t count) {
	return in_order.last(std::min(count, in_order.size()));
}

/// A time that several closes agree on, as far as it is still believed.
bool believed(Steps in_order, Step lowest, Step highest, std::size_t agreeing) {
	const auto agrees = [&](Step time) { return lowest <= time && time <= highest; };
	const Steps latest = last_of(in_order, recent);
	if (std::none_of(latest.begin(), latest.end(), agrees)) {
		return false;
	}
	const Steps last_run = last_of(in_order, run);
	return agreeing * share >= in_order.size() ||
	       std::all_of(last_run.begin(), last_run.end(), agrees);
}

} // namespace

Nanoseconds agreement_width(Nanoseconds time) {
	return std::max<Nanoseconds>(std::chrono::milliseconds(50), time / 50);
}

/// True for what comes too many at once.
bool Observations::crowded(Nanoseconds now) {
	if (in_moment_ == 0 || std::chrono::abs(now - moment_) >= burst_length) {
		moment_ = now;
		in_moment_ = 0;
	}
	if (in_moment_ == burst_size) {
		return true;
	}
	in_moment_++;
	return false;
}

bool Observations::add(Nanoseconds time, Nanoseconds now) {
	if (crowded(now)) {
		return false;
	}
	const auto steps = std::clamp<std::int64_t>(time / step, 0, std::numeric_limits<Step>::max());
	times_.at(next_) = static_cast<Step>(steps);
	next_ = static_cast<std::uint8_t>((next_ + 1) % capacity);
	size_ = static_cast<std::uint8_t>(std::min<std::size_t>(size_ + 1U, capacity));
	return true;
}

std::optional<Agreement> Observations::agreement() const {
	std::vector<Step> in_order(times_.begin(), times_.begin() + size_);
	if (size_ == capacity) {
		std::rotate(in_order.begin(), in_order.begin() + next_, in_order.end());
	}
	std::vector<Step> rest = in_order;
	std::sort(rest.begin(), rest.end());
	const Steps latest = last_of(in_order, recent);
	std::optional<Agreement> result;
	for (Range mode = mode_of(rest, latest); mode.size() != 0; mode = mode_of(rest, latest)) {
		const Step lowest = rest[mode.begin];
		const Step highest = rest[mode.end - 1];
		if (believed(in_order, lowest, highest, mode.size())) {
			Agreement& sum =
				result ? *result : result.emplace(Agreement{lowest * step, {}, 0, size_});
			sum.lowest = std::min<Nanoseconds>(sum.lowest, lowest * step);
			sum.highest = std::max<Nanoseconds>(sum.highest, highest * step);
			sum.agreeing += static_cast<std::uint32_t>(mode.size());
		}
		rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(mode.begin),
		           rest.begin() + static_cast<std::ptrdiff_t>(mode.end));
	}
	return result;
}

} // namespace stalesock
