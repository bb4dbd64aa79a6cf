// SPDX-License-Identifier: Apache-2.0
#include "capture/packet.hpp"

#include "capture/link_layer.hpp"
#include "capture/payload_head.hpp"

#include <algorithm>
#include <iterator>

namespace stalesock {

namespace {

constexpr std::uint8_t protocol_tcp = 6;
constexpr std::size_t smallest_tcp_header = 20;
constexpr std::size_t word = 4; ///< header lengths are counted in these
/// Segmentation offload hands over up to 512 KiB at once (GSO_MAX_SIZE).
constexpr std::uint32_t largest_payload = 1U << 20;

/// What of an IP packet is TCP's.
struct Carried {
	PacketStatus status = PacketStatus::other;
	std::size_t offset = 0;   ///< of the TCP header, in the IP packet
	std::uint32_t length = 0; ///< of TCP header and payload, before the capture cut it
};

template <std::size_t Size> auto array_at(Octets bytes, std::size_t at) {
	struct {
		std::uint8_t bytes[Size];
	} copy{};
	std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), Size, std::begin(copy.bytes));
	return copy;
}

Carried carried_by_ipv4(Octets packet, std::uint32_t wire_length, Segment& segment) { // RFC 791
	constexpr std::size_t smallest_header = 20;
	constexpr std::uint16_t more_fragments_or_offset = 0x3fff;
	if (packet.size() < smallest_header) {
		return {PacketStatus::truncated};
	}
	const std::size_t header = (packet[0] & 0x0fU) * word;
	const std::uint16_t said = read_u16(packet, 2);
	const std::uint32_t total = said == 0 ? wire_length : said;
	if (header < smallest_header || total < header) {
		return {PacketStatus::malformed};
	}
	if (packet[9] != protocol_tcp) {
		return {PacketStatus::other};
	}
	if ((read_u16(packet, 6) & more_fragments_or_offset) != 0) {
		return {PacketStatus::fragment};
	}
	segment.identification = read_u16(packet, 4);
	segment.source.address = address_from_ipv4(array_at<4>(packet, 12).bytes);
	segment.destination.address = address_from_ipv4(array_at<4>(packet, 16).bytes);
	return {PacketStatus::segment, header, total - static_cast<std::uint32_t>(header)};
}

/// Passes extension headers (RFC 8200, 4): each says what comes next and how long it is.
Carried pass_extensions(Octets packet, std::uint32_t total) {
	constexpr std::size_t fixed_header = 40;
	constexpr std::size_t shortest = 8;
	constexpr std::uint8_t fragment = 44;
	constexpr std::uint8_t authentication = 51; // RFC 4302: counted in words, two of them not
	std::uint8_t next = packet[6];
	std::size_t at = fixed_header;
	const auto is_extension = [](std::uint8_t header) {
		return header == 0 || header == 43 || header == fragment || header == authentication ||
		       header == 60 || header == 135;
	};
	while (is_extension(next)) {
		if (packet.size() < at + shortest) {
			return {PacketStatus::truncated};
		}
		if (next == fragment && (read_u16(packet, at + 2) & 0xfff9U) != 0) {
			return {PacketStatus::fragment};
		}
		const std::size_t count = packet[at + 1];
		const std::size_t length = next == fragment         ? shortest
		                           : next == authentication ? (count + 2) * word
		                                                    : (count + 1) * shortest;
		next = packet[at];
		at += length;
	}
	if (next != protocol_tcp) {
		return {PacketStatus::other};
	}
	if (total < at) {
		return {PacketStatus::malformed};
	}
	return {PacketStatus::segment, at, total - static_cast<std::uint32_t>(at)};
}

Carried carried_by_ipv6(Octets packet, std::uint32_t wire_length, Segment& segment) {
	constexpr std::uint32_t fixed_header = 40;
	if (packet.size() < fixed_header) {
		return {PacketStatus::truncated};
	}
	const std::uint16_t said = read_u16(packet, 4);
	const std::uint32_t total = said == 0 ? wire_length : said + fixed_header;
	segment.identification = 0;
	segment.source.address = address_from_ipv6(array_at<16>(packet, 8).bytes);
	segment.destination.address = address_from_ipv6(array_at<16>(packet, 24).bytes);
	return pass_extensions(packet, total);
}

Carried carried_by_ip(Octets packet, std::uint32_t wire_length, Segment& segment) {
	if (packet.empty()) {
		return {PacketStatus::truncated};
	}
	switch (packet[0] >> 4U) {
	case 4: return carried_by_ipv4(packet, wire_length, segment);
	case 6: return carried_by_ipv6(packet, wire_length, segment);
	default: return {PacketStatus::other};
	}
}

/// One option of known length; its kind and length byte included.
void read_option(Octets option, Segment& segment) {
	constexpr std::uint8_t sack = 5;
	constexpr std::uint8_t timestamps = 8;
	if (option[0] == timestamps && option.size() == 10) {
		segment.timestamps = TcpTimestamps{read_u32(option, 2), read_u32(option, 6)};
	} else if (option[0] == sack && option.size() >= 10) {
		// A first block below the acknowledgement reports a duplicate (RFC 2883).
		segment.selective_ack = comes_before(segment.acknowledgement, read_u32(option, 6));
	}
}

/// As many as were captured. Stops at the first that is not well-formed.
void read_options(Octets options, Segment& segment) {
	constexpr std::uint8_t end_of_list = 0;
	constexpr std::uint8_t no_operation = 1;
	segment.timestamps.reset();
	segment.selective_ack = false;
	while (!options.empty() && options[0] != end_of_list) {
		if (options[0] == no_operation) {
			options = options.subspan(1);
			continue;
		}
		if (options.size() < 2 || options[1] < 2 || options.size() < options[1]) {
			return;
		}
		read_option(options.first(options[1]), segment);
		options = options.subspan(options[1]);
	}
}

PacketStatus read_tcp(Octets bytes, std::uint32_t length, Segment& segment) { // RFC 9293, 3.1
	if (bytes.size() < smallest_tcp_header) {
		return length < smallest_tcp_header ? PacketStatus::malformed : PacketStatus::truncated;
	}
	const std::size_t header = (bytes[12] >> 4U) * word;
	if (header < smallest_tcp_header || length < header || length - header > largest_payload) {
		return PacketStatus::malformed;
	}
	segment.source.port = read_u16(bytes, 0);
	segment.destination.port = read_u16(bytes, 2);
	segment.sequence = read_u32(bytes, 4);
	segment.acknowledgement = read_u32(bytes, 8);
	segment.flags = bytes[13];
	segment.window = read_u16(bytes, 14);
	segment.payload = length - static_cast<std::uint32_t>(header);
	const std::size_t captured = std::min(bytes.size(), header);
	read_options(bytes.subspan(smallest_tcp_header, captured - smallest_tcp_header), segment);
	// Padding follows a short packet, so no more than the payload's length is looked at.
	const Octets rest = bytes.subspan(captured);
	const HeadClass head = classify_head(
		rest.first(std::min<std::size_t>(rest.size(), segment.payload)), segment.payload);
	segment.head = head.head;
	segment.record_length = head.record_length;
	segment.control_sized = head.control_sized;
	segment.announces_body = head.announces_body;
	return PacketStatus::segment;
}

} // namespace

PacketStatus parse_packet(LinkType type, Octets frame, std::uint32_t wire_length,
                          Segment& segment) {
	const NetworkPacket network = strip_link_layer(type, frame);
	if (network.status != PacketStatus::segment) {
		return network.status;
	}
	if (network.offset >= frame.size() || wire_length < frame.size()) {
		return PacketStatus::truncated;
	}
	const Octets packet = frame.subspan(network.offset);
	const Carried carried =
		carried_by_ip(packet, wire_length - static_cast<std::uint32_t>(network.offset), segment);
	if (carried.status != PacketStatus::segment) {
		return carried.status;
	}
	if (carried.offset > packet.size()) {
		return PacketStatus::truncated;
	}
	return read_tcp(packet.subspan(carried.offset), carried.length, segment);
}

} // namespace stalesock
