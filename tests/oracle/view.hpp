// SPDX-License-Identifier: Apache-2.0
// One socket's own view of its connection, put together from the capture.
#pragma once

#include "capture.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace oracle {

/// Sequence numbers count from the SYN of their direction: its own is 0, the first byte's is 1.
struct Segment {
	Nanoseconds time{};
	bool sent = false;     ///< by the socket whose view this is
	bool repeated = false; ///< a retransmission: nothing in it is new
	std::uint8_t flags = 0;
	std::uint32_t sequence = 0;
	std::uint32_t acknowledgement = 0; ///< 0 without the ACK flag
	std::uint32_t payload = 0;
	bool timestamps = false; ///< the option of RFC 7323
	CapturedHead head;

	[[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
	[[nodiscard]] std::uint32_t end() const { return sequence + payload; }
};

struct View {
	bool active = false;   ///< sent the SYN
	bool complete = false; ///< both SYNs were captured
	std::vector<Segment> segments;
};

/// What a capture cannot show, told by whoever held the socket.
struct Witness {
	std::uint64_t read = 0;  ///< payload bytes, until it closed
	Nanoseconds last_read{}; ///< since the epoch
	Nanoseconds closed{};
	bool refused = false; ///< a send failed, because the connection was gone
};

struct Ends {
	std::string local;
	std::string remote;

	auto operator<=>(const Ends&) const = default;
};

/// The views of all real sockets. Packets on a device where both ends are real count for both.
using Views = std::map<Ends, View>;
void add_views(Views& views, std::span<const Packet> packets);

} // namespace oracle
