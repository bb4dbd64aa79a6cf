// SPDX-License-Identifier: Apache-2.0
#include "capture.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace oracle {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t ipv6_header = 40;
constexpr std::size_t smallest_tcp_header = 20;

struct Datagram {
	bool is_ipv6 = false;
	Bytes source;
	Bytes destination;
	std::size_t header = 0; ///< length of the IP header
	std::size_t total = 0;  ///< length of the whole packet on the wire
};

std::uint16_t number16(Bytes bytes, std::size_t offset) {
	return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

std::uint32_t number32(Bytes bytes, std::size_t offset) {
	return static_cast<std::uint32_t>(number16(bytes, offset)) << 16 | number16(bytes, offset + 2);
}

std::optional<Datagram> parse_ip(Bytes bytes) {
	const unsigned version = bytes.empty() ? 0 : bytes[0] >> 4;
	if (version == 4 && bytes.size() >= 20 && bytes[9] == IPPROTO_TCP)
		return Datagram{false, bytes.subspan(12, 4), bytes.subspan(16, 4),
		                static_cast<std::size_t>(bytes[0] & 0x0f) * 4, number16(bytes, 2)};
	if (version == 6 && bytes.size() >= ipv6_header && bytes[6] == IPPROTO_TCP)
		return Datagram{true, bytes.subspan(8, 16), bytes.subspan(24, 16), ipv6_header,
		                ipv6_header + number16(bytes, 4)};
	return std::nullopt;
}

PacketEndpoint endpoint(const Datagram& datagram, Bytes address, std::uint16_t port) {
	PacketEndpoint result;
	std::copy(address.begin(), address.end(), result.address.begin());
	result.is_ipv6 = datagram.is_ipv6;
	result.port = port;
	return result;
}

CapturedHead captured_head(Bytes bytes, std::size_t offset, std::uint32_t payload) {
	CapturedHead head;
	const std::size_t captured = bytes.size() > offset ? bytes.size() - offset : 0;
	const std::size_t length =
		std::min({head.bytes.size(), captured, static_cast<std::size_t>(payload)});
	std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), length, head.bytes.begin());
	head.length = static_cast<std::uint8_t>(length);
	return head;
}

/// Of the options behind the fixed header; what is cut short or has no sensible length ends them.
bool has_timestamps(Bytes options) {
	constexpr std::uint8_t end_of_options = 0;
	constexpr std::uint8_t no_operation = 1;
	constexpr std::uint8_t timestamps = 8;
	for (std::size_t at = 0; at < options.size() && options[at] != end_of_options;) {
		if (options[at] == timestamps)
			return true;
		if (options[at] == no_operation)
			++at;
		else if (at + 1 < options.size() && options[at + 1] >= 2)
			at += options[at + 1];
		else
			break;
	}
	return false;
}

} // namespace

std::optional<Packet> parse_packet(Bytes bytes) {
	const std::optional<Datagram> datagram = parse_ip(bytes);
	if (!datagram || bytes.size() < datagram->header + smallest_tcp_header)
		return std::nullopt;
	const Bytes tcp = bytes.subspan(datagram->header);
	const std::size_t tcp_header = static_cast<std::size_t>(tcp[12] >> 4) * 4;
	if (datagram->total < datagram->header + tcp_header)
		return std::nullopt;
	Packet packet;
	packet.source = endpoint(*datagram, datagram->source, number16(tcp, 0));
	packet.destination = endpoint(*datagram, datagram->destination, number16(tcp, 2));
	packet.sequence = number32(tcp, 4);
	packet.acknowledgement = number32(tcp, 8);
	packet.flags = tcp[13];
	if (tcp_header >= smallest_tcp_header && tcp_header <= tcp.size())
		packet.timestamps =
			has_timestamps(tcp.subspan(smallest_tcp_header, tcp_header - smallest_tcp_header));
	packet.payload = static_cast<std::uint32_t>(datagram->total - datagram->header - tcp_header);
	if (packet.payload != 0)
		packet.head = captured_head(tcp, tcp_header, packet.payload);
	return packet;
}

std::string to_string(const PacketEndpoint& endpoint) {
	std::array<char, INET6_ADDRSTRLEN> text{};
	::inet_ntop(endpoint.is_ipv6 ? AF_INET6 : AF_INET, endpoint.address.data(), text.data(),
	            text.size());
	const std::string address = text.data();
	return (endpoint.is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port);
}

} // namespace oracle
