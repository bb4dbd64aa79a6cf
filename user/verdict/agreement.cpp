// SPDX-License-Identifier: Apache-2.0
#include "verdict/agreement.hpp"

#include "verdict/observations.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace stalesock {

namespace {

using Step = std::uint32_t;
using Steps = std::span<const Step>;

constexpr Nanoseconds step = std::chrono::microseconds(100);
constexpr Step steps_per_second = std::chrono::seconds(1) / step;

constexpr std::size_t enough = 3;  ///< closes that agree
constexpr std::size_t run = 4;     ///< closes in a row that show a change
constexpr std::size_t share = 4;   ///< one of so many closes has to agree
constexpr std::size_t recent = 12; ///< of so many last closes one has to agree
/// ... and within this time of the last close: what was true before a change is not told for weeks because
/// closes are rare.
constexpr std::int32_t still_seen = std::chrono::seconds(std::chrono::hours(7 * 24)).count();

/// Below a second, closes of a coarse timer cannot be told from early ones.
constexpr Step shortest_coarse = steps_per_second * 19 / 20;

Step width_at(Step value, Scale scale) {
	return scale == Scale::count ? 0 : static_cast<Step>(agreement_width(value * step) / step);
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
Range densest(Steps sorted, Scale scale) {
	Range best;
	for (std::size_t i = 0; i < sorted.size(); i++) {
		const Range range = reach(sorted, i, width_at(sorted[i], scale));
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
		const Range range = reach(sorted, i, steps_per_second + width_at(sorted[i], Scale::time));
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
	return 3 * densest(sorted, Scale::time).size() < 2 * sorted.size();
}

/// The mode itself, or all of a second when the mode is only the fullest part of it. After a small change of an
/// exact timeout old and new closes lie within a second too: the latest ones tell.
Range mode_of(Steps sorted, Steps latest, Scale scale) {
	const Range mode = densest(sorted, scale);
	if (mode.size() < enough || scale == Scale::count) {
		return mode.size() < enough ? Range{} : mode;
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

std::vector<Step> values_of(std::span<const Seen> in_order) {
	std::vector<Step> values;
	values.reserve(in_order.size());
	for (const Seen& seen : in_order) {
		values.push_back(seen.value);
	}
	return values;
}

/// A time that several closes agree on, as far as it is still believed.
bool believed(std::span<const Seen> in_order, Step lowest, Step highest, std::size_t agreeing) {
	const auto agrees = [&](const Seen& seen) {
		return lowest <= seen.value && seen.value <= highest;
	};
	const auto latest = in_order.last(std::min(recent, in_order.size()));
	const std::int32_t newest = in_order.back().second;
	if (std::none_of(latest.begin(), latest.end(), [&](const Seen& seen) {
			return agrees(seen) && newest - seen.second <= still_seen;
		})) {
		return false;
	}
	const auto last_run = in_order.last(std::min(run, in_order.size()));
	return agreeing * share >= in_order.size() ||
	       std::all_of(last_run.begin(), last_run.end(), agrees);
}

} // namespace

std::optional<ValueAgreement> agreement_of(std::span<const Seen> in_order, Scale scale) {
	std::vector<Step> rest = values_of(in_order);
	const std::vector<Step> latest = values_of(in_order.last(std::min(recent, in_order.size())));
	std::sort(rest.begin(), rest.end());
	std::optional<ValueAgreement> result;
	for (Range mode = mode_of(rest, latest, scale); mode.size() != 0;
	     mode = mode_of(rest, latest, scale)) {
		const Step lowest = rest[mode.begin];
		const Step highest = rest[mode.end - 1];
		if (believed(in_order, lowest, highest, mode.size())) {
			ValueAgreement& sum =
				result ? *result : result.emplace(ValueAgreement{lowest, highest, 0});
			sum.lowest = std::min(sum.lowest, lowest);
			sum.highest = std::max(sum.highest, highest);
			sum.agreeing += static_cast<std::uint32_t>(mode.size());
		}
		rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(mode.begin),
		           rest.begin() + static_cast<std::ptrdiff_t>(mode.end));
	}
	return result;
}

} // namespace stalesock
