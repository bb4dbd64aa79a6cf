// SPDX-License-Identifier: Apache-2.0
// Sockets that wait for their application, which a scan finds.
#include "limits.hpp"
#include "truth_parts.hpp"

#include <netinet/tcp.h>

#include <algorithm>

namespace oracle {

namespace {

/// The kernel reckons in ticks.
constexpr Nanoseconds margin = milliseconds(50);
constexpr const char* closed_near_limit = "seen by a scan or not, as it happens";

void judge_wait(Nanoseconds begin, Nanoseconds end, Kind kind, Truth& truth) {
	const Nanoseconds waited = end - begin;
	if (waited <= waiting_limit - margin)
		return;
	if (waited < waiting_limit + scan_interval + longest_scan_delay)
		leave_unscored(truth, {kind}, closed_near_limit);
	else
		truth.kinds.insert(kind);
}

/// The application closed, or something came that ends the wait.
Nanoseconds end_of_wait(const Facts& facts, const Witness& witness) {
	Nanoseconds end = witness.closed;
	for (const std::optional<Segment>& segment :
	     {facts.own_fin, facts.abort, facts.reset_received}) {
		if (segment)
			end = std::min(end, segment->time);
	}
	return end;
}

void judge_close_wait(const Facts& facts, const Witness& witness, Truth& truth) {
	const Nanoseconds end = end_of_wait(facts, witness);
	if (facts.peer_fin && end > facts.peer_fin->time)
		judge_wait(facts.peer_fin->time, end, Kind::close_wait_leak, truth);
}

/// Of either end, sent again or not: what moves the ages.
Nanoseconds last_payload(const View& view, Nanoseconds until) {
	Nanoseconds last{};
	for (const Segment& segment : view.segments) {
		if (segment.time < until && (segment.payload != 0 || segment.has(TH_SYN)))
			last = segment.time;
	}
	return last;
}

/// What was read by the end shows how much was not, and what was read last of all how long some was not.
void judge_unread(const Facts& facts, const View& view, const Witness& witness, Truth& truth) {
	Nanoseconds end = end_of_wait(facts, witness);
	if (facts.peer_fin)
		end = std::min(end, facts.peer_fin->time);
	const std::uint64_t received = facts.received.empty() ? 0 : facts.received.back().end() - 1;
	if (received == witness.read)
		end = std::min(end, witness.last_read);
	judge_wait(last_payload(view, end), end, Kind::dirty_idle, truth);
}

} // namespace

void judge_waiting(const Facts& facts, const View& view, const Witness& witness, Truth& truth) {
	judge_close_wait(facts, witness, truth);
	if (view.active)
		judge_unread(facts, view, witness, truth);
}

} // namespace oracle
