// SPDX-License-Identifier: Apache-2.0
// Where the IP packet begins in a frame.
#pragma once

#include "capture/packet.hpp"

namespace stalesock {

struct NetworkPacket {
	PacketStatus status = PacketStatus::other; ///< segment: an IP packet follows
	std::size_t offset = 0;                    ///< of the IP header
};

[[nodiscard]] NetworkPacket strip_link_layer(LinkType type, Octets frame);

} // namespace stalesock
