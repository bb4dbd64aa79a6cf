// SPDX-License-Identifier: Apache-2.0
// A TCP segment as it was seen on the wire: plain values, no byte of its payload.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <optional>

namespace stalesock {

/// Bits of the TCP header's flags (RFC 9293, 3.1).
enum TcpFlag : std::uint8_t {
	tcp_fin = 0x01,
	tcp_syn = 0x02,
	tcp_rst = 0x04,
	tcp_ack = 0x10,
};

/// RFC 7323, 3.2.
struct TcpTimestamps {
	std::uint32_t value = 0;
	std::uint32_t echo = 0;

	bool operator==(const TcpTimestamps&) const = default;
};

struct Segment {
	Nanoseconds time{}; ///< since the epoch
	Endpoint source;
	Endpoint destination;
	std::uint32_t sequence = 0;              ///< of the SYN, or of the first byte
	std::uint32_t acknowledgement = 0;       ///< meaningless without the ACK flag
	std::uint32_t payload = 0;               ///< length in bytes, from the IP header
	std::uint16_t window = 0;                ///< not scaled
	std::uint16_t identification = 0;        ///< of the IPv4 header; 0 for IPv6
	std::uint16_t record_length = 0;         ///< of the TLS record that begins the payload
	std::uint8_t flags = 0;                  ///< TcpFlag
	PayloadHead head = PayloadHead::unknown; ///< unknown when it was not captured, or there is none
	bool control_sized = false;              ///< HeadClass::control_sized
	bool announces_body = false;             ///< HeadClass::announces_body
	bool selective_ack = false;              ///< acknowledges bytes beyond a gap (RFC 2018)
	std::optional<TcpTimestamps> timestamps;

	[[nodiscard]] bool has(TcpFlag flag) const { return (flags & flag) != 0; }
	/// Of the first byte of payload: a SYN takes a number of its own.
	[[nodiscard]] std::uint32_t start() const { return sequence + (has(tcp_syn) ? 1U : 0U); }
	/// After the last byte of payload; a FIN takes this number.
	[[nodiscard]] std::uint32_t end() const { return start() + payload; }
};

/// `first` comes before `second` in the space of sequence numbers, which wraps (RFC 9293, 3.4).
[[nodiscard]] constexpr bool comes_before(std::uint32_t first, std::uint32_t second) {
	return static_cast<std::int32_t>(first - second) < 0;
}

} // namespace stalesock
