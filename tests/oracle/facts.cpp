// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace oracle {

namespace {

void note_first(std::optional<Segment>& where, const Segment& segment, bool applies) {
	if (applies && !where)
		where = segment;
}

/// Each CPU delivers what it sent on loopback: segments this close may reach the socket in another order.
constexpr std::chrono::milliseconds any_order{20};

struct Handshake {
	std::optional<Nanoseconds> first_syn; ///< of ours; which one was answered is not known
	Nanoseconds last_syn{};
	bool answered = false; ///< what the peer sends again opens nothing
};

void note_handshake(Facts& facts, const Segment& segment, Handshake& handshake) {
	if (!segment.has(TH_SYN))
		return;
	if (segment.sent) {
		handshake.first_syn = handshake.first_syn.value_or(segment.time);
		handshake.last_syn = segment.time;
		return;
	}
	if (std::exchange(handshake.answered, true))
		return;
	facts.opened = segment.time;
	if (segment.has(TH_ACK) && handshake.first_syn) {
		facts.longest_round_trip = segment.time - *handshake.first_syn;
		facts.shortest_round_trip = segment.time - handshake.last_syn;
	}
}

void note_acknowledgement(Facts& facts, const Segment& segment, bool probed) {
	facts.acknowledged = std::max(facts.acknowledged, segment.acknowledgement);
	if (!segment.has(TH_RST))
		facts.acknowledged_alive = std::max(facts.acknowledged_alive, segment.acknowledgement);
	const auto answered =
		std::find_if(facts.sent.rbegin(), facts.sent.rend(),
	                 [&](const Segment& sent) { return sent.end() == segment.acknowledgement; });
	if (answered == facts.sent.rend() || probed)
		return;
	const Nanoseconds sample = segment.time - answered->time;
	facts.longest_round_trip = std::max(facts.longest_round_trip, sample);
	facts.shortest_round_trip = std::min(facts.shortest_round_trip, sample);
}

/// One number below the next (RFC 9293, 3.8.4).
bool is_probe(const Facts& facts, const Segment& segment) {
	const std::uint32_t next = facts.sent.empty() ? 1 : facts.sent.back().end();
	return segment.sent && !segment.has(TH_SYN) && segment.payload <= 1 &&
	       segment.sequence + 1 == next;
}

/// Below the window it is ignored (RFC 5961; Linux takes one less after a FIN).
bool is_effective_reset(const Facts& facts, const Segment& segment) {
	if (segment.sent || !segment.has(TH_RST))
		return false;
	const std::uint32_t next = facts.received.empty() ? 1 : facts.received.back().end();
	return segment.sequence >= next;
}

} // namespace

Facts facts_of(const View& view, const machine::Stalls& stalls) {
	Facts facts;
	facts.stalls = &stalls;
	Handshake handshake;
	bool probed = false; // the next to come says nothing of a round trip
	for (const Segment& segment : view.segments) {
		note_handshake(facts, segment, handshake);
		if (facts.reset_received && !segment.sent) {
			facts.reset_overtook |= (segment.payload != 0 || segment.has(TH_FIN)) &&
			                        segment.time - facts.reset_received->time < any_order;
			continue;
		}
		if (!segment.sent)
			note_acknowledgement(facts, segment, std::exchange(probed, false));
		probed |= is_probe(facts, segment);
		if (!segment.sent && segment.has(TH_FIN) && !facts.peer_fin)
			facts.fin_overtaken = facts.acknowledged > segment.acknowledgement;
		facts.peer_repeated |= !segment.sent && segment.repeated && segment.payload != 0;
		note_first(facts.peer_fin, segment, !segment.sent && segment.has(TH_FIN));
		note_first(facts.own_fin, segment, segment.sent && segment.has(TH_FIN));
		note_first(facts.reset_received, segment, is_effective_reset(facts, segment));
		note_first(facts.abort, segment,
		           segment.sent && segment.has(TH_RST) && segment.has(TH_ACK));
		if (segment.payload != 0 && !segment.repeated && segment.sent)
			facts.acknowledged_before[segment.sequence] = facts.acknowledged;
		if (segment.payload != 0 && !segment.repeated)
			(segment.sent ? facts.sent : facts.received).push_back(segment);
	}
	return facts;
}

bool behind_a_partly_received_flight(const Facts& facts, const Segment& message) {
	const std::uint32_t before = facts.acknowledged_before.at(message.sequence);
	const std::uint32_t at_end =
		facts.peer_fin ? facts.peer_fin->acknowledgement : facts.acknowledged;
	return before < message.sequence && before < at_end;
}

bool window_was_full(const Facts& facts, const std::vector<Segment>& sent) {
	constexpr std::ptrdiff_t initial_window = 10;
	return std::count_if(sent.begin(), sent.end(), [&](const Segment& segment) {
			   return segment.end() > facts.acknowledged;
		   }) >= initial_window;
}

bool stalled(const Facts& facts, Nanoseconds begin, Nanoseconds end) {
	return facts.stalls->touch(begin, end);
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
