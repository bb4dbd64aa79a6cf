// SPDX-License-Identifier: Apache-2.0
#include "view.hpp"

#include "network.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <utility>

namespace oracle {

namespace {

using Tuple = std::pair<PacketEndpoint, PacketEndpoint>; ///< local, remote

struct Direction {
	std::uint32_t first = 0; ///< sequence number of the SYN
	bool known = false;
	std::uint32_t end = 0; ///< of the payload seen so far, relative
};

struct Draft {
	View view;
	Direction sent;
	Direction received;
};

void learn_syn(Draft& draft, const Packet& packet, bool sent) {
	if ((packet.flags & TH_SYN) == 0)
		return;
	Direction& direction = sent ? draft.sent : draft.received;
	direction.first = packet.sequence;
	direction.known = true;
	if (sent)
		draft.view.active = (packet.flags & TH_ACK) == 0;
}

Segment relative_segment(Draft& draft, const Packet& packet, bool sent) {
	Direction& own = sent ? draft.sent : draft.received;
	const Direction& other = sent ? draft.received : draft.sent;
	Segment segment;
	segment.time = packet.time;
	segment.sent = sent;
	segment.flags = packet.flags;
	segment.sequence = packet.sequence - own.first;
	if (segment.has(TH_ACK))
		segment.acknowledgement = packet.acknowledgement - other.first;
	segment.payload = packet.payload;
	segment.timestamps = packet.timestamps;
	segment.head = packet.head;
	segment.repeated = segment.payload != 0 && segment.end() <= own.end;
	if (segment.payload != 0)
		own.end = std::max(own.end, segment.end());
	return segment;
}

void add(Draft& draft, const Packet& packet, bool sent) {
	learn_syn(draft, packet, sent);
	draft.view.segments.push_back(relative_segment(draft, packet, sent));
}

bool is_relayed(const PacketEndpoint& endpoint) {
	PacketEndpoint portless = endpoint;
	portless.port = 0;
	const std::string address = to_string(portless);
	return address == std::string(relayed_address_ipv4) + ":0" ||
	       address == "[" + std::string(relayed_address_ipv6) + "]:0";
}

} // namespace

void add_views(Views& views, std::span<const Packet> packets) {
	std::map<Tuple, Draft> drafts;
	for (const Packet& packet : packets) {
		if (!is_relayed(packet.source))
			add(drafts[{packet.source, packet.destination}], packet, true);
		if (!is_relayed(packet.destination))
			add(drafts[{packet.destination, packet.source}], packet, false);
	}
	for (auto& [tuple, draft] : drafts) {
		draft.view.complete = draft.sent.known && draft.received.known;
		views[{to_string(tuple.first), to_string(tuple.second)}] = std::move(draft.view);
	}
}

} // namespace oracle
