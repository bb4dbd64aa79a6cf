// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <iterator>

namespace oracle {

namespace {

void note_first(std::optional<Segment>& where, const Segment& segment, bool applies) {
	if (applies && !where)
		where = segment;
}

void note_handshake(Facts& facts, const Segment& segment, Nanoseconds& syn_sent) {
	if (!segment.has(TH_SYN))
		return;
	if (segment.sent)
		syn_sent = segment.time;
	else
		facts.opened = segment.time;
	if (!segment.sent && segment.has(TH_ACK))
		facts.round_trip = facts.longest_round_trip = facts.shortest_round_trip =
			segment.time - syn_sent;
}

void note_acknowledgement(Facts& facts, const Segment& segment) {
	facts.acknowledged = std::max(facts.acknowledged, segment.acknowledgement);
	const auto answered =
		std::find_if(facts.sent.rbegin(), facts.sent.rend(),
	                 [&](const Segment& sent) { return sent.end() == segment.acknowledgement; });
	if (answered == facts.sent.rend())
		return;
	const Nanoseconds sample = segment.time - answered->time;
	facts.longest_round_trip = std::max(facts.longest_round_trip, sample);
	facts.shortest_round_trip = std::min(facts.shortest_round_trip, sample);
}

/// Below the window it is ignored (RFC 5961; Linux takes one less after a FIN).
bool is_effective_reset(const Facts& facts, const Segment& segment) {
	if (segment.sent || !segment.has(TH_RST))
		return false;
	const std::uint32_t next = facts.received.empty() ? 1 : facts.received.back().end();
	return segment.sequence >= next;
}

} // namespace

Facts facts_of(const View& view) {
	Facts facts;
	Nanoseconds syn_sent{};
	for (const Segment& segment : view.segments) {
		note_handshake(facts, segment, syn_sent);
		if (!segment.sent)
			note_acknowledgement(facts, segment);
		facts.peer_repeated |= !segment.sent && segment.repeated && segment.payload != 0;
		note_first(facts.peer_fin, segment, !segment.sent && segment.has(TH_FIN));
		note_first(facts.own_fin, segment, segment.sent && segment.has(TH_FIN));
		note_first(facts.reset_received, segment, is_effective_reset(facts, segment));
		note_first(facts.abort, segment,
		           segment.sent && segment.has(TH_RST) && segment.has(TH_ACK));
		if (segment.payload != 0 && !segment.repeated)
			(segment.sent ? facts.sent : facts.received).push_back(segment);
	}
	return facts;
}

std::uint32_t number_of_fin(const Segment& fin) {
	return fin.end();
}

bool knows_peer_fin(const Facts& facts, const Segment& segment) {
	return facts.peer_fin && segment.acknowledgement > number_of_fin(*facts.peer_fin);
}

std::vector<Segment> sent_before_fin(const Facts& facts) {
	std::vector<Segment> result;
	std::copy_if(facts.sent.begin(), facts.sent.end(), std::back_inserter(result),
	             [&](const Segment& segment) { return !knows_peer_fin(facts, segment); });
	return result;
}

std::vector<Segment> sent_after_fin(const Facts& facts) {
	std::vector<Segment> result;
	std::copy_if(facts.sent.begin(), facts.sent.end(), std::back_inserter(result),
	             [&](const Segment& segment) { return knows_peer_fin(facts, segment); });
	return result;
}

const Segment* last_message(const std::vector<Segment>& segments) {
	const auto begins = [](const Segment& segment) {
		return speech_of(segment.head) != Speech::continuation;
	};
	const auto found = std::find_if(segments.rbegin(), segments.rend(), begins);
	return found == segments.rend() ? nullptr : &*found;
}

bool is_answered(const Facts& facts, const Segment& message) {
	return std::any_of(facts.received.begin(), facts.received.end(), [&](const Segment& segment) {
		return segment.acknowledgement > message.sequence;
	});
}

} // namespace oracle
