// SPDX-License-Identifier: Apache-2.0
#include "capture/conversation.hpp"

#include <algorithm>

namespace stalesock {

namespace {

/// FNV-1a over words: the same in every run.
class Fingerprint {
  public:
	void add(std::uint64_t word) {
		constexpr std::uint64_t prime = 0x100000001b3;
		value_ = (value_ ^ word) * prime;
		value_ ^= value_ >> 32U;
	}
	[[nodiscard]] std::uint64_t value() const { return value_; }

  private:
	std::uint64_t value_ = 0xcbf29ce484222325;
};

std::uint64_t fingerprint_of(const Segment& segment, std::size_t from) {
	constexpr unsigned half = 32;
	Fingerprint print;
	print.add(from);
	print.add(std::uint64_t{segment.sequence} << half | segment.acknowledgement);
	print.add(std::uint64_t{segment.payload} << half | segment.window);
	print.add(std::uint64_t{segment.identification} << half | segment.flags);
	if (segment.timestamps) {
		print.add(std::uint64_t{segment.timestamps->value} << half | segment.timestamps->echo);
	}
	return print.value();
}

} // namespace

Conversation::Conversation(const Segment& first, std::uint64_t cookie)
	: first_(first.source), second_(first.destination), cookie_(cookie), last_time_(first.time) {}

/// A connection of an endpoint to itself has one side only (a simultaneous open with itself).
std::size_t Conversation::side_of(const Segment& segment) const {
	return segment.source == first_ ? 0 : 1;
}

End::Identity Conversation::identity(std::size_t side) const {
	return side == 0 ? End::Identity{cookie_, first_, second_}
	                 : End::Identity{cookie_ + 1, second_, first_};
}

const EventHandler& Conversation::listener(std::size_t side, const EventHandler& handler) const {
	static const EventHandler nobody = [](const Event&) {};
	return muted_.at(side) ? nobody : handler;
}

/// Of one packet seen twice: forwarded, bridged, or on the "any" device. A retransmission has another number in
/// its IPv4 header, and another timestamp. Without either it comes later than a copy.
bool Conversation::is_copy(const Segment& segment) {
	constexpr Nanoseconds with_number = std::chrono::seconds(1);
	constexpr Nanoseconds without = std::chrono::milliseconds(5);
	const Nanoseconds longest = segment.identification != 0 ? with_number : without;
	const std::uint64_t fingerprint = fingerprint_of(segment, side_of(segment));
	const bool copy = std::any_of(seen_.begin(), seen_.end(), [&](const Seen& seen) {
		return seen.fingerprint == fingerprint && segment.time - seen.time <= longest;
	});
	if (!copy) {
		seen_.at(next_seen_) = {fingerprint, segment.time};
		next_seen_ = static_cast<std::uint8_t>((next_seen_ + 1U) % seen_.size());
	}
	return copy;
}

/// Where the clock was set back, a round trip that spans the step cannot be measured.
bool Conversation::take(const Segment& captured, const EventHandler& handler) {
	constexpr Nanoseconds most_disorder = std::chrono::milliseconds(1); // of a capture's queues
	const bool clock_went_back = last_time_ - captured.time > most_disorder;
	Segment segment = captured;
	segment.time = last_time_ = std::max(last_time_, captured.time);
	if (clock_went_back) {
		forget_times();
	}
	const bool taken = take_in_order(segment, handler);
	if (clock_went_back) {
		forget_times();
	}
	return taken;
}

void Conversation::forget_times() {
	for (End& end : ends_) {
		end.forget_times();
	}
}

bool Conversation::take_in_order(const Segment& segment, const EventHandler& handler) {
	if (is_copy(segment)) {
		return false;
	}
	const std::size_t from = side_of(segment);
	if (segment.has(tcp_syn)) {
		segment.has(tcp_ack) ? take_syn_ack(segment, from, handler)
							 : take_syn(segment, from, handler);
		return true;
	}
	ends_.at(from).sent(identity(from), segment, listener(from, handler));
	ends_.at(1 - from).received(identity(1 - from), segment, listener(1 - from, handler));
	return true;
}

void Conversation::take_syn(const Segment& segment, std::size_t from, const EventHandler& handler) {
	active_ = static_cast<std::uint8_t>(from);
	ends_.at(from).send_syn(identity(from), segment, listener(from, handler));
	ends_.at(1 - from).receive_syn(segment);
}

/// Where the SYN was not captured, it is taken to have left just before.
void Conversation::take_syn_ack(const Segment& segment, std::size_t from,
                                const EventHandler& handler) {
	if (ends_.at(1 - from).closed() && ends_.at(from).closed()) {
		Segment syn = segment;
		syn.flags = tcp_syn;
		syn.sequence = segment.acknowledgement - 1;
		take_syn(syn, 1 - from, handler);
	}
	if (ends_.at(1 - from).state() == TcpState::syn_sent &&
	    ends_.at(from).state() == TcpState::syn_recv) {
		ends_.at(from).send_syn_ack(segment);
		ends_.at(1 - from).receive_syn_ack(segment);
	}
}

void Conversation::begin_amid(const Segment& segment, bool source_is_passive,
                              const EventHandler& handler) {
	active_ = source_is_passive ? 1 : 0;
	ends_[0].begin_amid(identity(0), segment, true, source_is_passive, listener(0, handler));
	ends_[1].begin_amid(identity(1), segment, false, !source_is_passive, listener(1, handler));
}

bool Conversation::is_succeeded_by(const Segment& segment) const {
	if (!segment.has(tcp_syn) || segment.has(tcp_ack)) {
		return false;
	}
	const End& sender = ends_.at(side_of(segment));
	const bool repeated = sender.first_number() == segment.start();
	return !repeated || sender.closed();
}

std::optional<Nanoseconds> Conversation::due() const {
	for (const End& end : ends_) {
		if (end.reset_pending()) {
			return end.reset_due();
		}
	}
	return std::nullopt;
}

void Conversation::settle(Nanoseconds now, const EventHandler& handler) {
	for (std::size_t side = 0; side < ends_.size(); side++) {
		ends_.at(side).settle(identity(side), now, listener(side, handler));
	}
}

void Conversation::scan(Nanoseconds now, const EventHandler& handler) const {
	for (std::size_t side = 0; side < ends_.size(); side++) {
		ends_.at(side).scan(identity(side), now, listener(side, handler));
	}
}

void Conversation::finish(const EventHandler& handler) {
	for (std::size_t side = 0; side < ends_.size(); side++) {
		ends_.at(side).finish(identity(side), listener(side, handler));
	}
}

void Conversation::forget(const EventHandler& handler) {
	for (std::size_t side = 0; side < ends_.size(); side++) {
		ends_.at(side).forget(identity(side), last_time_, listener(side, handler));
	}
}

Vantage Conversation::vantage() const {
	const Distance& active = ends_.at(active_).distance;
	const Distance& passive = ends_.at(1U - active_).distance;
	if (active.is_here()) {
		return passive.is_here() ? Vantage::both_ends : Vantage::active_opener;
	}
	if (passive.is_here()) {
		return Vantage::passive_opener;
	}
	return active.known() && passive.known() ? Vantage::between : Vantage::unknown;
}

} // namespace stalesock
