// SPDX-License-Identifier: Apache-2.0
#include "truth.hpp"

#include "facts.hpp"

#include <algorithm>

namespace oracle {

namespace {

using std::chrono::milliseconds;

// The contract says 100 ms; what is near it is not scored, because the capture's clock and the
// kernel's ticks need not agree to the millisecond.
constexpr Nanoseconds together = milliseconds(40);
constexpr Nanoseconds apart = milliseconds(160);
/// Payload segments of one answer are at most this far from each other.
constexpr Nanoseconds longest_pause_in_answer = milliseconds(100);
/// Two segments this close may have been sent in either order.
constexpr Nanoseconds crossing = milliseconds(5);
constexpr Nanoseconds shortest_race_limit = milliseconds(100);
/// The contract: parts of one request are at most 100 ms apart. A slow machine may fail to send them so.
constexpr Nanoseconds surely_one_request = milliseconds(60);
/// The contract: an idle gap before the request, here since the handshake, makes it a reuse from 100 ms.
constexpr Nanoseconds surely_first_use = milliseconds(60);
constexpr Nanoseconds surely_reuse = milliseconds(140);

void leave_unscored(Truth& truth, std::initializer_list<Kind> kinds, const char* reason) {
	for (const Kind kind : kinds)
		truth.unscored.emplace(kind, reason);
}

bool all_farewells(const std::vector<Segment>& segments) {
	return std::all_of(segments.begin(), segments.end(), [](const Segment& segment) {
		return speech_of(segment.head) == Speech::farewell;
	});
}

struct Exchange {
	Nanoseconds end{};
	std::optional<Nanoseconds> last_words; ///< when the first byte came after a pause
	bool torn = false;                     ///< after that pause the same message went on
};

/// When the last exchange was over: the answer to the last message, without any last words that
/// came after a pause. Before the first message, the open counts.
Exchange last_exchange(const Facts& facts, const Segment* message) {
	Exchange exchange{message != nullptr ? message->time : facts.opened, {}};
	bool began = message == nullptr; // an answer may take its time to begin
	for (const Segment& segment : facts.received) {
		if (message != nullptr && segment.acknowledgement <= message->sequence)
			continue;
		if (began && segment.time - exchange.end > longest_pause_in_answer) {
			exchange.last_words = segment.time;
			exchange.torn = speech_of(segment.head) == Speech::continuation;
			break;
		}
		exchange.end = segment.time;
		began = true;
	}
	return exchange;
}

/// The peer left an answered, or never used, connection at this time.
void judge_quiet_close(const Facts& facts, const Segment* message, Nanoseconds left, bool by_fin,
                       Truth& truth) {
	if (facts.peer_repeated) {
		leave_unscored(truth, {Kind::idle_close, Kind::limit_close},
		               "our ACKs were slower than the peer's patience");
		return;
	}
	const Exchange exchange = last_exchange(facts, message);
	if (exchange.last_words && (exchange.torn || left - *exchange.last_words >= together)) {
		leave_unscored(truth, {Kind::idle_close, Kind::limit_close},
		               "a long pause, but not before last words");
		return;
	}
	const Nanoseconds gap = left - exchange.end;
	if (gap >= apart)
		truth.kinds.insert(Kind::idle_close);
	else if (gap < together && message != nullptr && by_fin)
		truth.kinds.insert(Kind::limit_close);
	else
		leave_unscored(truth, {Kind::idle_close, Kind::limit_close},
		               "neither together with an answer nor idle");
}

/// A message without an answer, of which the peer had nothing when it closed: a race, if the connection
/// was reused for it.
void judge_crossing(const Facts& facts, const Segment& message, Truth& truth) {
	const Nanoseconds waited = message.time - facts.opened;
	if (!facts.received.empty() || waited >= surely_reuse)
		truth.kinds.insert(Kind::reuse_race);
	else if (waited <= surely_first_use)
		truth.kinds.insert(Kind::unanswered_close);
	else
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close},
		               "first used about 100 ms after the handshake");
}

/// As much was under way as may be at once (tcp_init_cwnd): more may have been written, and a close, of
/// which nothing is on the wire.
bool window_was_full(const Facts& facts, const std::vector<Segment>& before) {
	constexpr std::ptrdiff_t initial_window = 10;
	return std::count_if(before.begin(), before.end(), [&](const Segment& segment) {
			   return segment.end() > facts.acknowledged;
		   }) >= initial_window;
}

void judge_peer_fin(const Facts& facts, const std::vector<Segment>& before, Truth& truth) {
	if (window_was_full(facts, before)) {
		leave_unscored(truth, {Kind::reuse_race, Kind::early_response, Kind::unanswered_close},
		               "the window was full");
		return;
	}
	const Segment* const message = last_message(before);
	const bool all_arrived =
		before.empty() || facts.peer_fin->acknowledgement >= before.back().end();
	if (message == nullptr || is_answered(facts, *message)) {
		// What had not arrived belongs to a request that was answered before its end.
		if (all_arrived)
			judge_quiet_close(facts, message, facts.peer_fin->time, true, truth);
		else
			truth.kinds.insert(Kind::early_response);
		return;
	}
	if (all_arrived)
		truth.kinds.insert(Kind::unanswered_close);
	else if (speech_of(message->head) == Speech::farewell)
		leave_unscored(truth, {Kind::reuse_race}, "a farewell, not a request, crossed the FIN");
	else
		judge_crossing(facts, *message, truth);
}

void judge_late_writes(const Facts& facts, const std::vector<Segment>& before,
                       const std::vector<Segment>& late, Truth& truth) {
	if (all_farewells(late)) {
		truth.kinds.insert(Kind::farewell_write);
		return;
	}
	const bool nothing_queued = before.empty() || facts.acknowledged >= before.back().end();
	if (speech_of(late.front().head) != Speech::continuation && nothing_queued) {
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

/// Part of the message left after its answer had come.
bool went_on_after_answer(const Facts& facts, const Segment& message) {
	const auto answer =
		std::find_if(facts.received.begin(), facts.received.end(), [&](const Segment& segment) {
			return segment.acknowledgement > message.sequence;
		});
	return answer != facts.received.end() && facts.sent.back().acknowledgement >= answer->end();
}

/// Nothing the peer sent acknowledges the end of what we wrote.
bool end_never_arrived(const Facts& facts) {
	return !facts.sent.empty() && facts.acknowledged < facts.sent.back().end();
}

/// The answer does not acknowledge the end of what we had written.
bool answered_before_end(const Facts& facts) {
	return !facts.sent.empty() && !facts.received.empty() &&
	       facts.received.back().acknowledgement < facts.sent.back().end();
}

void judge_answered_reset(const Facts& facts, const Segment* message, Truth& truth) {
	const Nanoseconds time = facts.reset_received->time;
	const bool cut_short =
		message != nullptr && (went_on_after_answer(facts, *message) || end_never_arrived(facts));
	const Nanoseconds waited = time - (facts.sent.empty() ? time : facts.sent.back().time);
	if (cut_short && waited >= std::max<Nanoseconds>(crossing, 2 * facts.longest_round_trip))
		leave_unscored(truth, {Kind::early_response, Kind::reuse_race, Kind::idle_close},
		               "the answer may have been read before the request went on");
	else if (cut_short && waited < together)
		truth.kinds.insert(Kind::early_response);
	else if (message != nullptr && answered_before_end(facts))
		leave_unscored(truth, {Kind::early_response, Kind::idle_close},
		               "answered before the end of the request, then reset");
	else
		judge_quiet_close(facts, message, time, false, truth);
}

void judge_reset(const Facts& facts, Truth& truth) {
	const Segment* const message = last_message(facts.sent);
	if (message == nullptr || is_answered(facts, *message)) {
		judge_answered_reset(facts, message, truth);
		return;
	}
	const Nanoseconds least = std::max(4 * facts.shortest_round_trip, shortest_race_limit);
	const Nanoseconds most = std::max(4 * facts.longest_round_trip, shortest_race_limit);
	const Nanoseconds waited = facts.reset_received->time - facts.sent.back().time;
	if (waited * 5 < least * 4)
		judge_crossing(facts, *message, truth);
	else if (waited * 4 < most * 5)
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close},
		               "the RST came near the limit of a race");
	else
		truth.kinds.insert(Kind::unanswered_close);
}

/// An abort of our own, not the echo of one: nothing that arrived later concerns the socket.
bool aborted(const Facts& facts) {
	return facts.abort && !(facts.reset_received && facts.reset_received->time < facts.abort->time);
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

void judge_active(const Facts& facts, Truth& truth) {
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
		judge_reset(facts, truth);
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

/// The number of the abort's acknowledgement counts the SYN, the payload and the FIN that had come.
void judge_abort(const Facts& facts, std::uint64_t read, Truth& truth) {
	if (!aborted(facts)) {
		if (facts.abort && facts.abort->time - facts.reset_received->time < crossing)
			leave_unscored(truth, {Kind::dirty_close}, "our abort crossed the peer's RST");
		return;
	}
	const std::uint64_t not_payload = knows_peer_fin(facts, *facts.abort) ? 2 : 1;
	if (facts.abort->acknowledgement > not_payload + read)
		truth.kinds.insert(Kind::dirty_close);
}

constexpr std::array<std::string_view, all_kinds.size()> names{
	"stale_reuse",        "reuse_race",     "unanswered_close",    "dirty_close",
	"abandoned_response", "early_response", "half_close_response", "farewell_write",
	"idle_close",         "limit_close",
};

} // namespace

std::string_view to_string(Kind kind) {
	return names.at(static_cast<std::size_t>(kind));
}

std::optional<Kind> parse_kind(std::string_view name) {
	const auto found = std::find(names.begin(), names.end(), name);
	if (found == names.end())
		return std::nullopt;
	return static_cast<Kind>(found - names.begin());
}

Truth truth_of(const View& view, std::uint64_t read) {
	const Facts facts = facts_of(view);
	Truth truth;
	if (view.active) {
		judge_active(facts, truth);
		if (paused_within_request(facts))
			excuse_paused_request(truth);
	} else {
		judge_passive(facts, truth);
	}
	judge_abort(facts, read, truth);
	return truth;
}

} // namespace oracle
