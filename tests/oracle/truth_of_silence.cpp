// SPDX-License-Identifier: Apache-2.0
#include "truth_parts.hpp"

#include <netinet/tcp.h>

#include <algorithm>

namespace oracle {

namespace {

using std::chrono::seconds;

/// The contract: a silence from one second on makes the path forget, and a write is unanswered after another.
/// TCP reckons both by the stamps of other segments than a capture shows.
constexpr Nanoseconds forgetting = seconds(1);
constexpr Nanoseconds patience = seconds(1);
constexpr Nanoseconds silence_margin = milliseconds(200);
constexpr Nanoseconds patience_margin = milliseconds(50);
/// The application's clock is read before it closes.
constexpr Nanoseconds close_margin = milliseconds(30);
/// The shortest RTO (net.ipv4.tcp_rto_min_us), which doubles.
constexpr Nanoseconds shortest_timeout = milliseconds(200);

enum class Belief : std::uint8_t { no, unknown, yes };

Belief exceeds(Nanoseconds time, Nanoseconds limit, Nanoseconds margin) {
	if (time >= limit + margin)
		return Belief::yes;
	return time <= limit - margin ? Belief::no : Belief::unknown;
}

/// What was sent again, by when that was decided, told of a forgotten connection. What an orphan sends, no one waits for.
Belief vanished(const Unanswered& unanswered, const Witness& witness) {
	const Belief held = exceeds(witness.closed - unanswered.time, {}, close_margin);
	return std::min({held, exceeds(unanswered.silence, forgetting, silence_margin),
	                 exceeds(unanswered.age, patience, patience_margin)});
}

void judge_vanished(const Silence& silence, const Witness& witness, Truth& truth) {
	Belief belief = Belief::no;
	for (const Unanswered& unanswered : silence.repeated)
		belief = std::max(belief, vanished(unanswered, witness));
	if (belief == Belief::yes)
		truth.kinds.insert(Kind::silent_drop);
	else if (belief == Belief::unknown)
		leave_unscored(truth, {Kind::silent_drop, Kind::peer_unresponsive},
		               "a silence, an age or a close near the limit of a silent drop");
}

bool ended_by_packet(const View& view) {
	return std::any_of(view.segments.begin(), view.segments.end(), [](const Segment& segment) {
		return segment.has(TH_RST) || segment.has(TH_FIN);
	});
}

/// The kernel gave up, and told nobody: what would have been sent again after twice the time was not, although the
/// application held the socket.
void judge_retransmissions(const Silence::Flight& flight, const Witness& witness, Truth& truth) {
	const Nanoseconds next =
		3 * std::max(flight.longest_wait, shortest_timeout) + milliseconds(300);
	const Nanoseconds waited = witness.closed - flight.last_sent;
	if (waited > next)
		truth.kinds.insert(Kind::peer_unresponsive);
	else if (waited > -close_margin)
		leave_unscored(truth, {Kind::peer_unresponsive}, "closed when a timer may have been first");
}

/// The RST of keepalive follows probes without an answer, while the application holds the socket.
void judge_timeout(const Facts& facts, const Silence& silence, const View& view,
                   const Witness& witness, Truth& truth) {
	if (truth.kinds.contains(Kind::silent_drop)) // of which the end is a part
		return;
	if (silence.outstanding && !ended_by_packet(view)) {
		judge_retransmissions(*silence.outstanding, witness, truth);
		return;
	}
	if (!aborted(facts) || silence.probes.empty() || silence.probes.back().answered)
		return;
	const Belief by_timer = exceeds(witness.closed - facts.abort->time, {}, close_margin);
	if (by_timer == Belief::yes)
		truth.kinds.insert(Kind::peer_unresponsive);
	else if (by_timer == Belief::unknown)
		leave_unscored(truth, {Kind::peer_unresponsive}, "closed when a timer may have been first");
}

/// A host or a middlebox that knows no such connection; a socket's own RST has what all its segments have.
bool is_bare(const Segment& reset, const View& view) {
	return !reset.timestamps && view.segments.front().timestamps &&
	       std::any_of(view.segments.begin(), view.segments.end(),
	                   [](const Segment& segment) { return !segment.sent && segment.timestamps; });
}

bool judge_bare_reset(const Facts& facts, const Silence& silence, const View& view, Truth& truth) {
	if (!facts.reset_received || facts.own_fin || facts.peer_fin || facts.abort ||
	    !silence.outstanding || !is_bare(*facts.reset_received, view))
		return false;
	const Belief forgotten = exceeds(silence.outstanding->silence, forgetting, silence_margin);
	if (forgotten == Belief::yes)
		truth.kinds.insert(Kind::silent_drop);
	else if (forgotten == Belief::unknown)
		leave_unscored(truth,
		               {Kind::silent_drop, Kind::reuse_race, Kind::unanswered_close,
		                Kind::early_response, Kind::idle_close, Kind::farewell_write},
		               "a silence near the limit of a silent drop");
	return forgotten != Belief::no;
}

} // namespace

bool judge_silence(const Facts& facts, const Silence& silence, const View& view,
                   const Witness& witness, Truth& truth) {
	judge_vanished(silence, witness, truth);
	judge_timeout(facts, silence, view, witness, truth);
	return judge_bare_reset(facts, silence, view, truth);
}

void judge_probes(const Facts& facts, const Silence& silence, Truth& truth) {
	if (!facts.peer_fin)
		return;
	const auto open = truth.unscored.find(Kind::idle_close);
	const bool is_open = open != truth.unscored.end();
	const bool may_be_hidden = is_open && open->second == machine_stalled; // captured after the FIN
	if (silence.probes.empty() && !may_be_hidden)
		return;
	if (is_open)
		truth.unscored.emplace(Kind::keepalive_ineffective, open->second);
	else if (!truth.kinds.contains(Kind::idle_close))
		return;
	else if (silence.probes.front().answered)
		truth.kinds.insert(Kind::keepalive_ineffective);
	else
		leave_unscored(truth, {Kind::keepalive_ineffective},
		               "a keepalive probe crossed the FIN, or was not answered");
}

} // namespace oracle
