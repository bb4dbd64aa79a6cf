// SPDX-License-Identifier: Apache-2.0
// The last closes by one peer, and the time they agree on.
#pragma once

#include "verdict/agreement.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace stalesock {

/// Closes agree when they lie within 50 ms of each other or within 2 % of the shorter time, whichever is
/// more: what timers, scheduling and the network add to a server's exact timeout. Never within more than a tenth of it: closes
/// after 100 and 140 ms have nothing in common.
[[nodiscard]] Nanoseconds agreement_width(Nanoseconds time);

/// The shortest and longest time that closes agree on. Apart by more than agreement_width: a coarse
/// timer, or servers with different timeouts behind one address.
struct Agreement {
	Nanoseconds lowest{};
	Nanoseconds highest{};
	std::uint32_t agreeing = 0;   ///< closes that agree on one of the times
	std::uint32_t remembered = 0; ///< closes looked at, early ones and noise included
};

/// The last 32 closes, in steps of 0.1 ms, and what they agree on.
///
/// It learns a time from 3 closes that agree, and believes it while those are a quarter of all it remembers.
/// It learns a changed time from 4 closes in a row at the latest, and forgets one that was not among
/// the last 12 closes. Several times that are believed at once are reported as a range, never as a
/// mean. A server with a timer that ticks every second closes anywhere within one: times from 1 s up that
/// lie within a second, but of which fewer than two thirds agree with each other, are one range. That takes 3
/// closes that agree as well: half of such servers are learned at the 11th close if their timeout is 1 s, at
/// the 7th if it is 5 s.
///
/// Evidence ages by the number of later closes and by time: a close counts for 30 days, and a time that was not
/// among the closes of the last 7 days is forgotten when others were.
///
/// Of closes within 0.9 s only the first one counts: a server that stops closes everything at once, and such closes
/// agree on nothing but their moment.
class Observations {
  public:
	static constexpr std::size_t capacity = RecentValues::capacity;
	static constexpr Nanoseconds step = std::chrono::microseconds(100);

	/// `now` is the time of the close, as boot time. False when it did not count.
	bool add(Nanoseconds time, Nanoseconds now) { return add(time, now, Burst{}); }
	bool add(Nanoseconds time, Nanoseconds now, const Burst& burst);

	[[nodiscard]] std::uint32_t size() const { return values_.size(); }

	/// What is believed now; nothing while nothing is.
	[[nodiscard]] std::optional<Agreement> agreement() const;

	/// For times that are at or beyond a limit, by an unknown amount: the limit is not longer than the
	/// shortest (`lowest`) if that one is to be trusted, and was passed three times at `highest`. Nothing on
	/// fewer than three.
	[[nodiscard]] std::optional<Agreement> upper_bound() const;

	/// In steps.
	[[nodiscard]] const RecentValues& values() const { return values_; }
	[[nodiscard]] RecentValues& values() { return values_; }

  private:
	RecentValues values_;
};

} // namespace stalesock
