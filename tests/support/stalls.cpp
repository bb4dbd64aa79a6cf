// SPDX-License-Identifier: Apache-2.0
#include "support/stalls.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace machine {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds nap{5};
/// Less is within the margins of every decision by time.
constexpr milliseconds shortest_stall{20};
/// A segment's stamps may lie on either side of the end of a stall.
constexpr milliseconds margin{10};

Nanoseconds now() {
	return std::chrono::system_clock::now().time_since_epoch();
}

/// Without the privilege it is an ordinary thread, which sees more stalls than there were.
void settle_on(int cpu) {
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(static_cast<unsigned>(cpu), &one);
	sched_setaffinity(0, sizeof one, &one);
	const sched_param first{1};
	sched_setscheduler(0, SCHED_FIFO, &first);
}

bool touches(const Stall& stall, Nanoseconds begin, Nanoseconds end) {
	return stall.begin <= end + margin && stall.end + margin >= begin;
}

} // namespace

bool Stalls::touch(Nanoseconds begin, Nanoseconds end) const {
	return std::any_of(stalls_.begin(), stalls_.end(),
	                   [&](const Stall& stall) { return touches(stall, begin, end); });
}

Nanoseconds Stalls::longest() const {
	Nanoseconds longest{};
	for (const Stall& stall : stalls_)
		longest = std::max(longest, stall.end - stall.begin);
	return longest;
}

Nanoseconds Stalls::longest(Nanoseconds begin, Nanoseconds end) const {
	Nanoseconds longest{};
	for (const Stall& stall : stalls_) {
		if (touches(stall, begin, end))
			longest = std::max(longest, stall.end - stall.begin);
	}
	return longest;
}

StallWatch::StallWatch() {
	cpu_set_t allowed;
	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof allowed, &allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
		if (CPU_ISSET(static_cast<unsigned>(cpu), &allowed))
			threads_.emplace_back(
				[this, cpu](const std::stop_token& stopped) { watch(stopped, cpu); });
	}
}

void StallWatch::watch(const std::stop_token& stopped, int cpu) {
	settle_on(cpu);
	for (Nanoseconds before = now(); !stopped.stop_requested();) {
		std::this_thread::sleep_for(nap);
		const Nanoseconds after = now();
		if (after - before >= nap + shortest_stall) {
			const std::lock_guard lock(mutex_);
			stalls_.add({before, after});
		}
		before = after;
	}
}

Stalls StallWatch::seen() {
	const std::lock_guard lock(mutex_);
	return stalls_;
}

Stalls StallWatch::stop() {
	threads_.clear();
	return std::move(stalls_);
}

} // namespace machine
