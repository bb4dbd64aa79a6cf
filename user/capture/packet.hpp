// SPDX-License-Identifier: Apache-2.0
// From a captured frame to a TCP segment: link layer, IPv4 or IPv6, TCP. Bytes come from anybody: nothing is
// read before its length was checked.
#pragma once

#include "capture/octets.hpp"
#include "capture/segment.hpp"

#include <cstdint>

namespace stalesock {

/// Link-layer header types as libpcap's DLT_* (pcap-linktype(7)), those that can be read.
enum class LinkType : int {
	null = 0,
	ethernet = 1,
	raw = 12,
	loop = 108,
	linux_sll = 113,
	ipv4 = 228,
	ipv6 = 229,
	linux_sll2 = 276,
};
[[nodiscard]] bool is_supported(LinkType type);

enum class PacketStatus : std::uint8_t {
	segment,   ///< a whole TCP header was there
	other,     ///< not TCP over IP
	fragment,  ///< of an IP packet: lengths and ports are not all in it
	truncated, ///< the capture kept too little of it
	malformed, ///< lengths that contradict each other
};

/// Fills everything of the segment but its time. `wire_length` is the packet's length before the capture cut it:
/// only used where the IP header leaves its own length out (segmentation offload: 0).
/// Tunnels are not looked into.
[[nodiscard]] PacketStatus parse_packet(LinkType type, Octets frame, std::uint32_t wire_length,
                                        Segment& segment);

} // namespace stalesock
