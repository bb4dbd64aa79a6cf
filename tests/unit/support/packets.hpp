// SPDX-License-Identifier: Apache-2.0
// Packets made by hand, layer by layer.
#pragma once

#include "capture/segment.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stalesock::test {

using Frame = std::vector<std::uint8_t>;

inline void put_u16(Frame& frame, unsigned value) {
	frame.push_back(static_cast<std::uint8_t>(value >> 8U));
	frame.push_back(static_cast<std::uint8_t>(value));
}

inline void put_u32(Frame& frame, std::uint32_t value) {
	put_u16(frame, value >> 16U);
	put_u16(frame, value & 0xffffU);
}

inline void put(Frame& frame, const Frame& more) {
	frame.insert(frame.end(), more.begin(), more.end());
}

struct TcpPacket {
	std::uint16_t source = 40000;
	std::uint16_t destination = 8080;
	std::uint32_t sequence = 1000;
	std::uint32_t acknowledgement = 5000;
	unsigned flags = tcp_ack;
	std::uint16_t window = 502;
	Frame options; ///< padded to words here
	std::string payload;
	/// Bytes of payload that the IP header speaks of; more than there are when the capture was cut.
	std::optional<std::size_t> length;
};

inline Frame tcp_bytes(const TcpPacket& packet) {
	Frame options = packet.options;
	options.resize((options.size() + 3) / 4 * 4, 1);
	Frame frame;
	put_u16(frame, packet.source);
	put_u16(frame, packet.destination);
	put_u32(frame, packet.sequence);
	put_u32(frame, packet.acknowledgement);
	frame.push_back(static_cast<std::uint8_t>((5 + options.size() / 4) << 4U));
	frame.push_back(static_cast<std::uint8_t>(packet.flags));
	put_u16(frame, packet.window);
	put_u32(frame, 0); // checksum and urgent pointer
	put(frame, options);
	frame.insert(frame.end(), packet.payload.begin(), packet.payload.end());
	return frame;
}

struct Ipv4 {
	Frame source{10, 0, 0, 1};
	Frame destination{10, 0, 0, 7};
	Frame options;              ///< whole words
	unsigned fragment = 0x4000; ///< flags and offset: don't fragment
	unsigned identification = 1;
	unsigned protocol = 6;
	bool length_left_out = false; ///< as segmentation offload does
};

inline Frame ipv4_bytes(const TcpPacket& packet, const Ipv4& ip = {}) {
	const Frame tcp = tcp_bytes(packet);
	const std::size_t missing =
		packet.length.value_or(packet.payload.size()) - packet.payload.size();
	const std::size_t header = 20 + ip.options.size();
	Frame frame;
	frame.push_back(static_cast<std::uint8_t>(0x40U | header / 4));
	frame.push_back(0);
	put_u16(frame, ip.length_left_out ? 0 : static_cast<unsigned>(header + tcp.size() + missing));
	put_u16(frame, ip.identification);
	put_u16(frame, ip.fragment);
	frame.push_back(64);
	frame.push_back(static_cast<std::uint8_t>(ip.protocol));
	put_u16(frame, 0);
	put(frame, ip.source);
	put(frame, ip.destination);
	put(frame, ip.options);
	put(frame, tcp);
	return frame;
}

/// `extensions`: the first one's number, then their bytes, the last one naming TCP.
inline Frame ipv6_bytes(const TcpPacket& packet, const Frame& extensions = {6}) {
	const Frame tcp = tcp_bytes(packet);
	Frame frame{0x60, 0, 0, 0};
	put_u16(frame, static_cast<unsigned>(tcp.size() + extensions.size() - 1));
	frame.push_back(extensions.front());
	frame.push_back(64);
	const Frame source{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	Frame destination = source;
	destination.back() = 7;
	put(frame, source);
	put(frame, destination);
	frame.insert(frame.end(), extensions.begin() + 1, extensions.end());
	put(frame, tcp);
	return frame;
}

/// `tags`: VLAN tags as they stand in the frame.
inline Frame ethernet_bytes(const Frame& packet, const Frame& tags = {}) {
	Frame frame(12, 0xee);
	put(frame, tags);
	put_u16(frame, packet.front() >> 4U == 6 ? 0x86dd : 0x0800);
	put(frame, packet);
	return frame;
}

} // namespace stalesock::test
