// SPDX-License-Identifier: Apache-2.0
// A TCP packet as bytes, from its IP header on: what the relay reads, changes and makes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace oracle {

using RawPacket = std::vector<std::uint8_t>;

struct Layout {
	std::size_t source;
	std::size_t destination;
	std::size_t address_size;
	std::size_t tcp;
};

/// Nothing for what is not TCP (the kernel's own multicast) and for fragments.
[[nodiscard]] std::optional<Layout> layout_of(const RawPacket& packet);

[[nodiscard]] std::uint16_t source_port(const RawPacket& packet, const Layout& layout);
[[nodiscard]] std::uint16_t destination_port(const RawPacket& packet, const Layout& layout);
[[nodiscard]] bool is_reset(const RawPacket& packet, const Layout& layout);
/// A SYN, or the answer to one.
[[nodiscard]] bool opens(const RawPacket& packet, const Layout& layout);

/// The checksum does not notice.
void swap_addresses(RawPacket& packet, const Layout& layout);

/// What a host that knows no such connection answers (RFC 9293, 3.10.7.1), to a segment with an ACK: an RST with the
/// number it is waited for, and no options.
[[nodiscard]] RawPacket bare_reset(const RawPacket& packet, const Layout& layout);

} // namespace oracle
