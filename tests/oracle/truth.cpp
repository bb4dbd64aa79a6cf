// SPDX-License-Identifier: Apache-2.0
#include "truth_parts.hpp"

#include <algorithm>

namespace oracle {

namespace {

/// The contract: parts of one request are at most 100 ms apart. A slow machine may fail to send them so.
constexpr Nanoseconds surely_one_request = milliseconds(60);
/// Whoever closes first leaves the peer's close_notify unread: in TLS 1.3, in TLS 1.2, and as Java pads it.
constexpr std::array<std::uint64_t, 3> farewell_sizes{24, 31, 40};
/// Paths through the relay take longer each way, loopback takes less.
constexpr Nanoseconds shortest_relayed = milliseconds(5);

bool all_farewells(const std::vector<Segment>& segments) {
	return std::all_of(segments.begin(), segments.end(), [](const Segment& segment) {
		return speech_of(segment.head) == Speech::farewell;
	});
}

void judge_late_writes(const Facts& facts, const std::vector<Segment>& before,
                       const std::vector<Segment>& late, Truth& truth) {
	if (all_farewells(late)) {
		truth.kinds.insert(Kind::farewell_write);
		return;
	}
	const bool nothing_queued = before.empty() || facts.acknowledged >= before.back().end();
	if (speech_of(late.front().head) != Speech::continuation && nothing_queued) {
		if (facts.acknowledged_alive > late.front().sequence && !names_a_method(late.front().head))
			leave_unscored(truth, {Kind::stale_reuse},
			               "the peer took what came after its FIN, and may have waited for it");
		else
			truth.kinds.insert(Kind::stale_reuse);
		return;
	}
	if (!nothing_queued) {
		leave_unscored(truth, {Kind::stale_reuse},
		               "queued behind what the peer had not acknowledged");
		return;
	}
	const Segment* const message = last_message(before);
	if (message != nullptr && is_answered(facts, *message)) {
		// The peer did not wait for the end of our message: no limit was reached, nothing was idle.
		truth.kinds.erase(Kind::limit_close);
		truth.kinds.insert(Kind::early_response);
		return;
	}
	// A race it is in any case; whether more was written after the FIN, only the application knows.
	leave_unscored(truth, {Kind::stale_reuse}, "written before the FIN, sent after it");
}

bool paused_within_request(const Facts& facts) {
	for (std::size_t i = 1; i < facts.sent.size(); i++) {
		if (speech_of(facts.sent[i].head) == Speech::continuation &&
		    facts.sent[i].time - facts.sent[i - 1].time >= surely_one_request)
			return true;
	}
	return false;
}

/// Whether what came after the pause was another request is then anybody's guess.
void excuse_paused_request(Truth& truth) {
	for (const Kind kind : {Kind::stale_reuse, Kind::reuse_race, Kind::unanswered_close,
	                        Kind::early_response, Kind::limit_close, Kind::idle_close}) {
		truth.kinds.erase(kind);
		truth.unscored.emplace(kind, "the sender paused within its request");
	}
}

bool any_resent(const View& view) {
	return std::any_of(view.segments.begin(), view.segments.end(),
	                   [](const Segment& segment) { return segment.repeated; });
}

/// Loopback loses no packets: whoever sends again there was kept from seeing an acknowledgement. What was
/// acknowledged before what is then another matter to the socket than to the capture. (On the relayed path a delayed
/// ACK is reason enough.)
void excuse_resent(Truth& truth) {
	for (const Kind kind : {Kind::reuse_race, Kind::unanswered_close, Kind::early_response,
	                        Kind::limit_close, Kind::idle_close}) {
		truth.kinds.erase(kind);
		truth.unscored.emplace(kind, "sent again, although nothing was lost");
	}
}

void judge_active(const Facts& facts, const Witnesses& witnesses, Truth& truth) {
	if (aborted(facts) && !knows_peer_fin(facts, *facts.abort))
		return;
	if (facts.own_fin && !knows_peer_fin(facts, *facts.own_fin)) {
		const bool crossed =
			facts.peer_fin && facts.peer_fin->acknowledgement <= number_of_fin(*facts.own_fin);
		if (crossed)
			leave_unscored(truth, {Kind::idle_close, Kind::limit_close}, "the two FINs crossed");
		return;
	}
	if (facts.peer_fin) {
		const std::vector<Segment> before = sent_before_fin(facts);
		const std::vector<Segment> late = sent_after_fin(facts);
		judge_peer_fin(facts, before, truth);
		if (!late.empty())
			judge_late_writes(facts, before, late, truth);
	} else if (facts.reset_received) {
		judge_reset(facts, witnesses, truth);
		judge_refused_write(facts, witnesses.own, truth);
	}
}

void judge_passive(const Facts& facts, Truth& truth) {
	const std::vector<Segment> late = sent_after_fin(facts);
	if (late.empty())
		return;
	if (all_farewells(late))
		truth.kinds.insert(Kind::farewell_write);
	else if (speech_of(late.front().head) == Speech::continuation)
		leave_unscored(truth, {Kind::half_close_response, Kind::abandoned_response},
		               "written before the FIN, sent after it");
	else if (facts.abort)
		leave_unscored(truth, {Kind::half_close_response, Kind::abandoned_response},
		               "answered, then aborted by ourselves");
	else
		truth.kinds.insert(facts.reset_received ? Kind::abandoned_response
		                                        : Kind::half_close_response);
}

/// A server was idle after its answer and closed as the next request came: that is a race, unless it had read some of that
/// request. The product keeps a record of what was read when only from the second answer on.
bool may_seem_a_race(const Facts& facts, std::uint64_t read) {
	if (facts.sent.empty() || facts.received.empty())
		return false;
	const bool answered_once =
		facts.sent.front().acknowledgement == facts.sent.back().acknowledgement;
	const bool nothing_read =
		read + 1 <= facts.sent.back().acknowledgement; // the SYN counts as one
	return (answered_once || nothing_read) && facts.received.back().time > facts.sent.back().time &&
	       facts.abort->time - facts.sent.back().time >= together &&
	       facts.abort->time - facts.received.back().time <= apart;
}

/// The number of the abort's acknowledgement counts the SYN, the payload and the FIN that had come.
void judge_abort(const Facts& facts, bool active, std::uint64_t read, Truth& truth) {
	if (!aborted(facts)) {
		if (facts.abort && facts.abort->time - facts.reset_received->time < crossing)
			leave_unscored(truth, {Kind::dirty_close}, "our abort crossed the peer's RST");
		return;
	}
	const std::uint64_t not_payload = knows_peer_fin(facts, *facts.abort) ? 2 : 1;
	if (facts.abort->acknowledgement <= not_payload + read)
		return;
	const std::uint64_t unread = facts.abort->acknowledgement - not_payload - read;
	if (std::find(farewell_sizes.begin(), farewell_sizes.end(), unread) != farewell_sizes.end())
		leave_unscored(truth, {Kind::dirty_close}, "as much unread as a close_notify has");
	else if (!active && may_seem_a_race(facts, read))
		leave_unscored(truth, {Kind::dirty_close},
		               "whether any of the request was read is not known");
	else
		truth.kinds.insert(Kind::dirty_close);
}

constexpr std::array<std::string_view, all_kinds.size()> names{
	"stale_reuse",           "reuse_race",         "unanswered_close",
	"dirty_close",           "abandoned_response", "early_response",
	"half_close_response",   "farewell_write",     "idle_close",
	"limit_close",           "silent_drop",        "peer_unresponsive",
	"keepalive_ineffective", "close_wait_leak",    "dirty_idle",
	"early_idle_close",
};

} // namespace

bool aborted(const Facts& facts) {
	return facts.abort && !(facts.reset_received && facts.reset_received->time < facts.abort->time);
}

std::string_view to_string(Kind kind) {
	return names.at(static_cast<std::size_t>(kind));
}

std::optional<Kind> parse_kind(std::string_view name) {
	const auto found = std::find(names.begin(), names.end(), name);
	if (found == names.end())
		return std::nullopt;
	return static_cast<Kind>(found - names.begin());
}

Truth truth_of(const View& view, const Witnesses& witnesses, const machine::Stalls& stalls) {
	const Witness& witness = witnesses.own;
	const Facts facts = facts_of(view, stalls);
	Truth truth;
	const Silence silence = silence_of(view);
	if (judge_silence(facts, silence, view, witness, truth)) {
		// The connection was forgotten: nothing more is known of the peer.
	} else if (view.active) {
		judge_active(facts, witnesses, truth);
		if (paused_within_request(facts))
			excuse_paused_request(truth);
		if (any_resent(view) && facts.shortest_round_trip < shortest_relayed)
			excuse_resent(truth);
		judge_probes(facts, silence, truth);
	} else {
		judge_passive(facts, truth);
	}
	judge_abort(facts, view.active, witness.read, truth);
	judge_waiting(facts, view, witness, truth);
	return truth;
}

} // namespace oracle
