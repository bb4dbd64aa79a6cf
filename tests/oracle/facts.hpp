// SPDX-License-Identifier: Apache-2.0
// The few facts of a view from which its truth follows.
#pragma once

#include "view.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace oracle {

struct Facts {
	Nanoseconds opened{};     ///< when the SYN of the other end was seen
	Nanoseconds round_trip{}; ///< of the handshake; 0 for passive opens
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
};

[[nodiscard]] Facts facts_of(const View& view);

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
