// SPDX-License-Identifier: Apache-2.0
// The last values seen of one thing, and when: bounded, forgetful, mergeable.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace stalesock {

/// A value and when it was seen.
struct Seen {
	std::uint32_t value = 0;
	std::int32_t second = 0; ///< of boot time; negative: before the boot

	friend bool operator==(const Seen&, const Seen&) = default;
};

/// The second it is in, limited to what fits.
[[nodiscard]] std::int32_t second_of(Nanoseconds time);

/// How many values of one moment count, and how long a moment is. An observation is a moment, not a connection: a restart
/// closes all connections at once, and what they say is one thing.
struct Burst {
	std::uint8_t size = 1;
	Nanoseconds length = std::chrono::milliseconds(900);
};

/// The last 32, of the last 30 days. Pure; `now` is boot time.
class RecentValues {
  public:
	static constexpr std::size_t capacity = 32;
	static constexpr Nanoseconds memory = std::chrono::hours(30 * 24);

	/// False when it did not count, because too many came at once.
	bool add(std::uint32_t value, Nanoseconds now, const Burst& burst);

	/// Forgets what is older than `memory`. True when there was any.
	bool forget_old(Nanoseconds now);

	/// Takes in what was seen elsewhere; the latest of all stay. What is there already, to the second, is the
	/// same observation and counts once.
	void merge(std::span<const Seen> others);

	/// Oldest first.
	[[nodiscard]] std::span<const Seen> entries() const { return entries_; }
	[[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }

  private:
	bool crowded(Nanoseconds now, const Burst& burst);
	void keep_latest();

	std::vector<Seen> entries_;
	Nanoseconds moment_{};       ///< when the last burst began
	std::uint8_t in_moment_ = 0; ///< values of that burst that counted
};

} // namespace stalesock
