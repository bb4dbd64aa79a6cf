// SPDX-License-Identifier: Apache-2.0
// Packets of one device, as tcpdump would see them.
#pragma once

#include "wire.hpp"

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

struct pcap;
struct pcap_dumper;
struct pcap_pkthdr;

namespace oracle {

using Nanoseconds = std::chrono::nanoseconds;

/// One end in the text form of the JSON contract: "127.0.0.1:80", "[::1]:80".
struct PacketEndpoint {
	std::array<std::uint8_t, 16> address{}; ///< IPv4 in the first four
	bool is_ipv6 = false;
	std::uint16_t port = 0;

	auto operator<=>(const PacketEndpoint&) const = default;
};
[[nodiscard]] std::string to_string(const PacketEndpoint& endpoint);

struct Packet {
	Nanoseconds time{}; ///< since the epoch
	PacketEndpoint source;
	PacketEndpoint destination;
	std::uint32_t sequence = 0;
	std::uint32_t acknowledgement = 0;
	std::uint32_t payload = 0; ///< length in bytes
	std::uint8_t flags = 0;    ///< TH_*
	bool timestamps = false;   ///< the option of RFC 7323
	CapturedHead head;
};

/// A TCP packet from its IP header on, as far as it was captured; nothing for anything else.
[[nodiscard]] std::optional<Packet> parse_packet(std::span<const std::uint8_t> bytes);

/// Captures from its construction until stop(), in its own thread.
class Capture {
  public:
	/// With a file name the packets are also written there. Throws std::runtime_error.
	Capture(const std::string& device, const std::string& file);
	~Capture();
	Capture(const Capture&) = delete;
	Capture& operator=(const Capture&) = delete;

	/// Takes what is still in the kernel's buffer and ends.
	void stop();

	/// After stop(), in the order of capture.
	[[nodiscard]] const std::vector<Packet>& packets() const { return packets_; }
	/// Packets that the kernel could not keep for us. Any at all spoils the test.
	[[nodiscard]] unsigned dropped() const;

  private:
	void run();
	void take(const pcap_pkthdr& header, const std::uint8_t* bytes);

	pcap* handle_ = nullptr;
	pcap_dumper* dumper_ = nullptr;
	std::size_t link_header_ = 0;
	std::vector<Packet> packets_;
	std::atomic<bool> stopping_ = false;
	std::thread thread_;
};

} // namespace oracle
