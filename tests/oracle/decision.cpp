// SPDX-License-Identifier: Apache-2.0
#include "decision.hpp"

#include <algorithm>

namespace oracle {

namespace {

std::string of_all(std::ptrdiff_t some, const std::vector<Again>& times) {
	return std::to_string(some) + " of " + std::to_string(times.size()) + " times";
}

} // namespace

std::string to_string(Again again) {
	switch (again) {
	case Again::agreed: return "agreed";
	case Again::came_back: return "came back";
	case Again::changed: return "disagreed in another way";
	case Again::undecided: return "undecided";
	case Again::disturbed: return "disturbed";
	case Again::spoiled: return "spoiled";
	}
	return {};
}

Decision decide(const std::vector<Again>& times, const Circumstances& then) {
	const auto count = [&](Again again) { return std::count(times.begin(), times.end(), again); };
	if (const auto back = count(Again::came_back); back != 0)
		return {true, "it came back " + of_all(back, times)};
	if (const auto changed = count(Again::changed); changed != 0)
		return {true, "the connection disagreed in another way " + of_all(changed, times)};
	if (const auto spoiled = count(Again::spoiled); spoiled != 0)
		return {true, "it could not be tried again " + of_all(spoiled, times)};
	if (count(Again::agreed) == 0)
		return {true, "it could not be decided any time"};
	std::string tried =
		"tried again " + std::to_string(times.size()) + " times, it did not come back; ";
	const std::string still = std::to_string(then.stood_still.count());
	if (then.stood_still.count() != 0)
		return {false, tried + "the machine stood still for " + still + " ms at that moment"};
	if (then.rests_on_timer)
		return {
			false,
			tried +
				"one event in a timer's softirq decides, and a few are lost on virtual machines"};
	if (then.skip_admitted)
		return {false, tried + "the kernel skipped runs of the BPF programs, as stalesock says"};
	return {true, tried + "the machine did not stand still at that moment, so nothing explains it"};
}

} // namespace oracle
