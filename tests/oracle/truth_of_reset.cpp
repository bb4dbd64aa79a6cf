// SPDX-License-Identifier: Apache-2.0
#include "truth_parts.hpp"

#include <algorithm>

namespace oracle {

namespace {

constexpr Nanoseconds shortest_race_limit = milliseconds(100);

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
	if (cut_short && stalled(facts, time - waited, time))
		leave_unscored(truth, {Kind::early_response, Kind::reuse_race, Kind::idle_close},
		               machine_stalled);
	else if (cut_short && waited >= std::max<Nanoseconds>(crossing, 2 * facts.longest_round_trip))
		leave_unscored(truth, {Kind::early_response, Kind::reuse_race, Kind::idle_close},
		               "the answer may have been read before the request went on");
	else if (cut_short && waited < together)
		truth.kinds.insert(Kind::early_response);
	else if (message != nullptr && answered_before_end(facts))
		leave_unscored(truth, {Kind::early_response, Kind::idle_close},
		               "answered before the end of the request, then reset");
	else
		judge_quiet_close(facts, message, time, false, truth);
	// It has left something unread, unless it asked for no FIN (SO_LINGER): the rest of a request, or all of one.
	if (!cut_short && message != nullptr && waited < surely_reuse)
		leave_unscored(truth, {Kind::early_response}, "answered, then reset at once");
}

/// Words of the peer came that acknowledge nothing of this message, then an acknowledgement of it: to a socket,
/// which keeps no order of the two, the words are the answer.
bool arrived_after_last_words(const Facts& facts, const Segment& message) {
	return !facts.received.empty() && facts.received.back().time > message.time &&
	       facts.acknowledged_alive > message.sequence;
}

/// The peer's application had read some of what it left without an answer.
bool was_read_in_part(const Witness& peer, const Segment& message) {
	return peer.read + 1 > message.sequence;
}

} // namespace

/// Its application took up the connection once more.
void judge_refused_write(const Facts& facts, const Witness& witness, Truth& truth) {
	const bool quiet =
		truth.kinds.contains(Kind::idle_close) || truth.kinds.contains(Kind::limit_close);
	const bool used = !facts.sent.empty() || !facts.received.empty();
	if (!witness.refused || !used)
		return;
	truth.not_on_wire.insert(Kind::stale_reuse);
	if (quiet)
		truth.kinds.insert(Kind::stale_reuse);
	else if (!truth.unscored.empty())
		leave_unscored(truth, {Kind::stale_reuse}, "what the RST was is not known");
}

void judge_reset(const Facts& facts, const Witnesses& witnesses, Truth& truth) {
	truth.not_on_wire.insert({Kind::reuse_race, Kind::unanswered_close, Kind::early_response});
	const Segment* const message = last_message(facts.sent);
	if (said_goodbye(message, truth))
		return;
	if (facts.reset_overtook) {
		leave_unscored(truth,
		               {Kind::reuse_race, Kind::unanswered_close, Kind::early_response,
		                Kind::idle_close, Kind::limit_close},
		               "an RST overtook what came before it");
		return;
	}
	if (window_was_full(facts, facts.sent)) {
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close, Kind::early_response},
		               "the window was full");
		return;
	}
	if (message == nullptr || is_answered(facts, *message)) {
		judge_answered_reset(facts, message, truth);
		return;
	}
	const Nanoseconds least = std::max(4 * facts.shortest_round_trip, shortest_race_limit);
	const Nanoseconds most = std::max(4 * facts.longest_round_trip, shortest_race_limit);
	const Nanoseconds waited = facts.reset_received->time - facts.sent.back().time;
	if (waited < Nanoseconds::zero())
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close},
		               "sent when the RST was there already");
	else if (stalled(facts, facts.sent.back().time, facts.reset_received->time))
		leave_unscored(
			truth,
			{Kind::reuse_race, Kind::unanswered_close, Kind::early_response, Kind::idle_close},
			machine_stalled);
	else if (arrived_after_last_words(facts, *message))
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close, Kind::early_response},
		               "a part of the request arrived between the last words and the close");
	else if (witnesses.peer != nullptr && was_read_in_part(*witnesses.peer, *message))
		truth.kinds.insert(Kind::unanswered_close);
	else if (waited * 5 < least * 4)
		judge_crossing(facts, *message, truth);
	else if (waited * 4 < most * 5)
		leave_unscored(truth, {Kind::reuse_race, Kind::unanswered_close},
		               "the RST came near the limit of a race");
	else
		truth.kinds.insert(Kind::unanswered_close);
}

} // namespace oracle
