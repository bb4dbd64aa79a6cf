// SPDX-License-Identifier: Apache-2.0
#include "raw_packet.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>

namespace oracle {

namespace {

constexpr std::size_t tcp_header = 20;
constexpr std::size_t acknowledgement_offset = 8;
constexpr std::size_t flags_offset = 13;
constexpr std::uint8_t hop_limit = 64;

std::uint16_t number_at(const RawPacket& packet, std::size_t offset) {
	return static_cast<std::uint16_t>(packet[offset] << 8 | packet[offset + 1]);
}

void put(RawPacket& packet, std::size_t offset, unsigned number) {
	packet[offset] = static_cast<std::uint8_t>(number >> 8);
	packet[offset + 1] = static_cast<std::uint8_t>(number);
}

std::uint32_t sum_of(const RawPacket& packet, std::size_t begin, std::size_t end) {
	std::uint32_t sum = 0;
	for (std::size_t at = begin; at < end; at += 2)
		sum += number_at(packet, at);
	return sum;
}

/// RFC 1071.
std::uint16_t folded(std::uint32_t sum) {
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<std::uint16_t>(~sum);
}

void copy(const RawPacket& from, std::size_t source, RawPacket& to, std::size_t destination,
          std::size_t size) {
	std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(source), size,
	            to.begin() + static_cast<std::ptrdiff_t>(destination));
}

void write_ip_header(RawPacket& packet, std::size_t tcp) {
	if (tcp == 40) {
		packet[0] = 0x60;
		put(packet, 4, tcp_header);
		packet[6] = IPPROTO_TCP;
		packet[7] = hop_limit;
		return;
	}
	packet[0] = 0x45;
	put(packet, 2, static_cast<unsigned>(packet.size()));
	packet[8] = hop_limit;
	packet[9] = IPPROTO_TCP;
}

} // namespace

std::optional<Layout> layout_of(const RawPacket& packet) {
	const unsigned version = packet.empty() ? 0 : packet[0] >> 4;
	if (version == 4 && packet.size() >= 40 && packet[9] == IPPROTO_TCP)
		return Layout{12, 16, 4, static_cast<std::size_t>(packet[0] & 0x0f) * 4};
	if (version == 6 && packet.size() >= 60 && packet[6] == IPPROTO_TCP)
		return Layout{8, 24, 16, 40};
	return std::nullopt;
}

std::uint16_t source_port(const RawPacket& packet, const Layout& layout) {
	return number_at(packet, layout.tcp);
}

std::uint16_t destination_port(const RawPacket& packet, const Layout& layout) {
	return number_at(packet, layout.tcp + 2);
}

bool is_reset(const RawPacket& packet, const Layout& layout) {
	return (packet[layout.tcp + flags_offset] & TH_RST) != 0;
}

bool opens(const RawPacket& packet, const Layout& layout) {
	return (packet[layout.tcp + flags_offset] & TH_SYN) != 0;
}

void swap_addresses(RawPacket& packet, const Layout& layout) {
	const auto source = packet.begin() + static_cast<std::ptrdiff_t>(layout.source);
	const auto destination = packet.begin() + static_cast<std::ptrdiff_t>(layout.destination);
	std::swap_ranges(source, source + static_cast<std::ptrdiff_t>(layout.address_size),
	                 destination);
}

RawPacket bare_reset(const RawPacket& packet, const Layout& layout) {
	const std::size_t tcp = layout.address_size == 4 ? 20 : 40;
	RawPacket reset(tcp + tcp_header);
	write_ip_header(reset, tcp);
	copy(packet, layout.source, reset, layout.destination, layout.address_size);
	copy(packet, layout.destination, reset, layout.source, layout.address_size);
	copy(packet, layout.tcp, reset, tcp + 2, 2);
	copy(packet, layout.tcp + 2, reset, tcp, 2);
	copy(packet, layout.tcp + acknowledgement_offset, reset, tcp + 4, 4);
	reset[tcp + 12] = tcp_header / 4 << 4;
	reset[tcp + flags_offset] = TH_RST;
	const std::uint32_t pseudo_header =
		sum_of(reset, layout.source, layout.source + 2 * layout.address_size) + IPPROTO_TCP +
		tcp_header;
	put(reset, tcp + 16, folded(pseudo_header + sum_of(reset, tcp, reset.size())));
	if (layout.address_size == 4)
		put(reset, 10, folded(sum_of(reset, 0, tcp)));
	return reset;
}

} // namespace oracle
