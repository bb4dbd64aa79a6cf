// SPDX-License-Identifier: Apache-2.0
// What the service manager is told (sd_notify(3)); nothing happens where there is none.
#pragma once

#include "sinks/sink.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace stalesock {

void notify_ready();
void notify_reloading();
void notify_stopping();
void notify_status(const std::string& line);

/// Standard error is a stream of journald's: what is written there lands in the journal.
[[nodiscard]] bool journal_has_standard_error();

/// How many verdicts the last minute had, from a running total.
class LastMinute {
  public:
	static constexpr Nanoseconds interval = std::chrono::seconds(5);

	/// Call it once each interval.
	void add(std::uint64_t total) {
		totals_.at(next_) = total;
		next_ = (next_ + 1) % totals_.size();
	}
	[[nodiscard]] std::uint64_t count(std::uint64_t total) const {
		return total - totals_.at(next_); // the oldest
	}

  private:
	std::array<std::uint64_t, 12> totals_{};
	std::size_t next_ = 0;
};

} // namespace stalesock
