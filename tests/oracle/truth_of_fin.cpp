// SPDX-License-Identifier: Apache-2.0
#include "truth_parts.hpp"

#include <algorithm>

namespace oracle {

namespace {

/// Payload segments of one answer are at most this far from each other.
constexpr Nanoseconds longest_pause_in_answer = milliseconds(100);

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

} // namespace

bool said_goodbye(const Segment* message, Truth& truth) {
	if (message == nullptr || speech_of(message->head) != Speech::farewell)
		return false;
	leave_unscored(truth,
	               {Kind::farewell_write, Kind::reuse_race, Kind::unanswered_close,
	                Kind::early_response, Kind::idle_close, Kind::limit_close},
	               "said goodbye before the peer's end was known");
	return true;
}

void judge_quiet_close(const Facts& facts, const Segment* message, Nanoseconds left, bool by_fin,
                       Truth& truth) {
	if (facts.peer_repeated) {
		leave_unscored(truth, {Kind::idle_close, Kind::limit_close},
		               "our ACKs were slower than the peer's patience");
		return;
	}
	if (stalled(facts, message != nullptr ? message->time : facts.opened, left)) {
		leave_unscored(truth, {Kind::idle_close, Kind::limit_close}, machine_stalled);
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

void judge_crossing(const Facts& facts, const Segment& message, Truth& truth) {
	const Nanoseconds waited = message.time - facts.opened;
	if (behind_a_partly_received_flight(facts, message))
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close, Kind::early_response},
		               "sent while an earlier request was on its way");
	else if (facts.received.empty() && stalled(facts, facts.opened, message.time))
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close}, machine_stalled);
	else if (!facts.received.empty() || waited >= surely_reuse)
		truth.kinds.insert(Kind::reuse_race);
	else if (waited <= surely_first_use)
		truth.kinds.insert(Kind::unanswered_close);
	else
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close},
		               "first used about 100 ms after the handshake");
}

void judge_peer_fin(const Facts& facts, const std::vector<Segment>& before, Truth& truth) {
	const Segment* const message = last_message(before);
	if (said_goodbye(message, truth))
		return;
	if (window_was_full(facts, before)) {
		leave_unscored(
			truth,
			{Kind::reuse_race, Kind::early_response, Kind::unanswered_close, Kind::stale_reuse},
			"the window was full");
		return;
	}
	if (facts.fin_overtaken) {
		leave_unscored(truth,
		               {Kind::reuse_race, Kind::early_response, Kind::unanswered_close,
		                Kind::idle_close, Kind::limit_close},
		               "an acknowledgement overtook the FIN");
		return;
	}
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
	else if (stalled(facts, message->time, facts.peer_fin->time)) // TCP may have seen another order
		leave_unscored(
			truth,
			{Kind::reuse_race, Kind::early_response, Kind::unanswered_close, Kind::stale_reuse},
			machine_stalled);
	else
		judge_crossing(facts, *message, truth);
}

} // namespace oracle
