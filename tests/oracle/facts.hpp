// SPDX-License-Identifier: Apache-2.0
// The few facts of a view from which its truth follows.
#pragma once

#include "support/stalls.hpp"
#include "view.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace oracle {

struct Facts {
	Nanoseconds opened{}; ///< when the first SYN of the other end was seen
	/// Of anything sent: the kernel's estimate lies between the two. Delayed ACKs count.
	Nanoseconds longest_round_trip{};
	Nanoseconds shortest_round_trip{};
	bool peer_repeated = false; ///< payload was received again
	std::optional<Segment> peer_fin;
	std::optional<Segment> own_fin;
	std::optional<Segment> reset_received;
	std::optional<Segment> abort;   ///< RST with ACK: an application closed, nothing was answered
	std::vector<Segment> sent;      ///< payload, without retransmissions
	std::vector<Segment> received;  ///< payload, without retransmissions
	std::uint32_t acknowledged = 0; ///< of what we sent, by any segment of the peer
	std::uint32_t acknowledged_alive =
		0; ///< the same, but for an RST, whose number no socket takes
	/// For each of `sent`, by its sequence number: what had been acknowledged when it left.
	std::map<std::uint32_t, std::uint32_t> acknowledged_before;
	bool reset_overtook = false; ///< words or FIN of the peer came right after its RST, or before
	bool fin_overtaken = false;  ///< a later segment of the peer came before its FIN
	const machine::Stalls* stalls = nullptr;
};

/// `stalls` must outlive the result. Nothing counts that came after an RST of the peer: the socket never saw it.
[[nodiscard]] Facts facts_of(const View& view, const machine::Stalls& stalls);

/// A part of what was on its way together with this message, and before it, had arrived at the end: to a socket
/// the message is the rest of that.
[[nodiscard]] bool behind_a_partly_received_flight(const Facts& facts, const Segment& message);

/// As much of these was under way as may be at once (tcp_init_cwnd): more may have been written, and a close, of
/// which nothing is on the wire.
[[nodiscard]] bool window_was_full(const Facts& facts, const std::vector<Segment>& sent);

/// Whether the machine stood still while a time was measured.
[[nodiscard]] bool stalled(const Facts& facts, Nanoseconds begin, Nanoseconds end);

/// The sequence number that the FIN itself takes.
[[nodiscard]] std::uint32_t number_of_fin(const Segment& fin);

/// The peer's FIN had been processed when this segment left.
[[nodiscard]] bool knows_peer_fin(const Facts& facts, const Segment& segment);

/// What was sent before the peer's FIN was processed, and from then on.
[[nodiscard]] std::vector<Segment> sent_before_fin(const Facts& facts);
[[nodiscard]] std::vector<Segment> sent_after_fin(const Facts& facts);

/// The segment with which the last message among these begins.
[[nodiscard]] const Segment* last_message(const std::vector<Segment>& segments);

/// Payload arrived that acknowledges part of this message.
[[nodiscard]] bool is_answered(const Facts& facts, const Segment& message);

} // namespace oracle
