// SPDX-License-Identifier: Apache-2.0
// Both ends of one connection on the wire.
#pragma once

#include "capture/end.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace stalesock {

/// Where a capture was taken, as far as one connection tells.
enum class Vantage : std::uint8_t { unknown, both_ends, active_opener, passive_opener, between };
inline constexpr std::size_t vantage_count = 5;

class Conversation {
  public:
	/// The source of its first segment is end 0. Its sockets are numbered `cookie` and the one after that.
	Conversation(const Segment& first, std::uint64_t cookie);

	/// In the order of capture. False for a segment that says nothing: of an earlier connection, or a copy.
	bool take(const Segment& captured, const EventHandler& handler);
	/// This end was seen before under another address, which this host translates: no event tells of it again.
	/// False: so it was already.
	bool mute(const Endpoint& end) {
		return !std::exchange(muted_.at(end == first_ ? 0 : 1), true);
	}

	/// The first segment of a connection that was open before the capture.
	void begin_amid(const Segment& segment, bool source_is_passive, const EventHandler& handler);

	/// This SYN does not belong to it: the ports are used again.
	[[nodiscard]] bool is_succeeded_by(const Segment& segment) const;
	[[nodiscard]] bool closed() const { return ends_[0].closed() && ends_[1].closed(); }
	/// When settle() has something to do.
	[[nodiscard]] std::optional<Nanoseconds> due() const;
	void settle(Nanoseconds now, const EventHandler& handler);
	void finish(const EventHandler& handler);
	void forget(const EventHandler& handler);

	/// As a look over all sockets would find both ends.
	void scan(Nanoseconds now, const EventHandler& handler) const;

	[[nodiscard]] Vantage vantage() const;
	[[nodiscard]] std::uint64_t lost() const { return ends_[0].lost() + ends_[1].lost(); }
	[[nodiscard]] Nanoseconds last_time() const { return last_time_; }
	[[nodiscard]] const Endpoint& first() const { return first_; }
	[[nodiscard]] const Endpoint& second() const { return second_; }

  private:
	/// What tells a copy from a retransmission, mixed into one number.
	struct Seen {
		std::uint64_t fingerprint = 0;
		Nanoseconds time{};
	};

	[[nodiscard]] std::size_t side_of(const Segment& segment) const;
	/// Whom to tell of this end.
	[[nodiscard]] const EventHandler& listener(std::size_t side, const EventHandler& handler) const;
	[[nodiscard]] End::Identity identity(std::size_t side) const;
	bool take_in_order(const Segment& segment, const EventHandler& handler);
	void forget_times();
	bool is_copy(const Segment& segment);
	void take_syn(const Segment& segment, std::size_t from, const EventHandler& handler);
	void take_syn_ack(const Segment& segment, std::size_t from, const EventHandler& handler);

	Endpoint first_;
	Endpoint second_;
	std::uint64_t cookie_;
	Nanoseconds last_time_{};
	std::array<End, 2> ends_;
	std::array<bool, 2> muted_{};
	std::array<Seen, 8> seen_;
	std::uint8_t next_seen_ = 0;
	std::uint8_t active_ = 0; ///< which end
};

} // namespace stalesock
