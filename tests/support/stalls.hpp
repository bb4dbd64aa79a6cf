// SPDX-License-Identifier: Apache-2.0
// When this machine stood still: a virtual CPU whose host took it away for a while. The stamps that TCP and the
// capture give one segment may then be as far apart, and no time measured across it tells anything.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace machine {

using Nanoseconds = std::chrono::nanoseconds;

/// Began and ended, on CLOCK_REALTIME, which is also that of captures.
struct Stall {
	Nanoseconds begin{};
	Nanoseconds end{};
};

class Stalls {
  public:
	void add(const Stall& stall) { stalls_.push_back(stall); }
	/// Any of them touches this interval.
	[[nodiscard]] bool touch(Nanoseconds begin, Nanoseconds end) const;
	[[nodiscard]] std::size_t count() const { return stalls_.size(); }
	[[nodiscard]] Nanoseconds longest() const;
	/// Of those that touch this interval; 0: none does.
	[[nodiscard]] Nanoseconds longest(Nanoseconds begin, Nanoseconds end) const;

  private:
	std::vector<Stall> stalls_;
};

/// A thread on each CPU that comes before all ordinary ones, sleeps a little and looks how long it took.
class StallWatch {
  public:
	StallWatch();
	/// What was seen so far.
	[[nodiscard]] Stalls seen();
	/// The same; ends the watch.
	[[nodiscard]] Stalls stop();

  private:
	void watch(const std::stop_token& stopped, int cpu);

	std::mutex mutex_;
	Stalls stalls_;
	std::vector<std::jthread> threads_;
};

} // namespace machine
