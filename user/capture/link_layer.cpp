// SPDX-License-Identifier: Apache-2.0
#include "capture/link_layer.hpp"

namespace stalesock {

namespace {

constexpr std::uint16_t ethertype_ipv4 = 0x0800;
constexpr std::uint16_t ethertype_ipv6 = 0x86dd;

bool is_vlan_tag(std::uint16_t ethertype) { // IEEE 802.1Q, 802.1ad, and QinQ before it had a number
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

/// The ethertype lies at `at`, the packet or further VLAN tags at `next`.
NetworkPacket by_ethertype(Octets frame, std::size_t at, std::size_t next) {
	constexpr std::size_t tag = 4;
	constexpr std::size_t ethertype_size = 2;
	if (frame.size() < at + ethertype_size) {
		return {PacketStatus::truncated};
	}
	std::uint16_t ethertype = read_u16(frame, at);
	while (is_vlan_tag(ethertype)) {
		if (frame.size() < next + tag) {
			return {PacketStatus::truncated};
		}
		ethertype = read_u16(frame, next + ethertype_size);
		next += tag;
	}
	const bool ip = ethertype == ethertype_ipv4 || ethertype == ethertype_ipv6;
	return {ip ? PacketStatus::segment : PacketStatus::other, next};
}

NetworkPacket cooked(Octets frame) { // LINKTYPE_LINUX_SLL
	constexpr std::size_t header = 16;
	constexpr std::size_t protocol = 14;
	if (frame.size() < header) {
		return {PacketStatus::truncated};
	}
	return by_ethertype(frame, protocol, header);
}

NetworkPacket cooked_v2(Octets frame) { // LINKTYPE_LINUX_SLL2
	constexpr std::size_t header = 20;
	if (frame.size() < header) {
		return {PacketStatus::truncated};
	}
	return by_ethertype(frame, 0, header);
}

} // namespace

bool is_supported(LinkType type) {
	switch (type) {
	case LinkType::null:
	case LinkType::ethernet:
	case LinkType::raw:
	case LinkType::loop:
	case LinkType::linux_sll:
	case LinkType::ipv4:
	case LinkType::ipv6:
	case LinkType::linux_sll2: return true;
	}
	return false;
}

// The family of a null or loop header depends on the system that captured; the IP version does not.
NetworkPacket strip_link_layer(LinkType type, Octets frame) {
	constexpr std::size_t ethernet_type = 12;
	constexpr std::size_t ethernet_header = 14;
	constexpr std::size_t family_header = 4;
	switch (type) {
	case LinkType::null:
	case LinkType::loop: return {PacketStatus::segment, family_header};
	case LinkType::ethernet: return by_ethertype(frame, ethernet_type, ethernet_header);
	case LinkType::linux_sll: return cooked(frame);
	case LinkType::linux_sll2: return cooked_v2(frame);
	case LinkType::raw:
	case LinkType::ipv4:
	case LinkType::ipv6: return {PacketStatus::segment, 0};
	}
	return {};
}

} // namespace stalesock
