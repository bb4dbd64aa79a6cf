// SPDX-License-Identifier: Apache-2.0
#include "verdict/end_facts.hpp"

#include "verdict/finding.hpp"

#include <algorithm>

namespace stalesock {

namespace {

/// An answer that took less is no reason to leave the send's age, which is exact, for the receive's, which is to the
/// tick and to jiffies that lag.
constexpr Nanoseconds quick_answer = std::chrono::milliseconds(50);

/// An answer in parts pauses for about as long as it took to begin; words that end the connection come out of a silence
/// that has nothing to do with that.
constexpr int longer_than_thought = 2;

Direction direction_of(const SocketView& view) {
	if (view.bytes_sent == 0) {
		return view.bytes_received == 0 ? Direction::nothing : Direction::only_received;
	}
	return view.bytes_received == 0 ? Direction::only_sent : Direction::both;
}

Quiet quiet_of(Nanoseconds idle) {
	if (idle >= idle_threshold) {
		return Quiet::idle;
	}
	return idle > response_and_fin ? Quiet::brief : Quiet::none;
}

bool is_sized_like_close_notify(const LastWords& words) {
	return is_close_notify_size(words.bytes) || words.bytes == padded_close_notify;
}

bool is_parting(const LastWords& words) {
	if (is_sized_like_close_notify(words)) {
		return true;
	}
	return !words.in_stream && words.pause > longer_than_thought * words.think;
}

/// Since our last message or its answer, whichever was later.
Nanoseconds age_of_exchange(const Reading& reading) {
	const Nanoseconds sent = send_age(reading);
	const Nanoseconds received = reading.view.receive_age_ticks * reading.tick;
	const bool slow = reading.view.bytes_received != 0 && sent - received >= quick_answer;
	return slow ? received : sent;
}

/// Since the answer, to the last words; or since the send, which is exact, where the answer came quickly.
Nanoseconds idle_before(const LastWords& words, const Reading& reading) {
	const Nanoseconds sent = send_age(reading);
	const Nanoseconds begun = words.pause + words.age;
	const Nanoseconds idle = sent - begun < quick_answer ? sent : begun;
	return words.age < idle_threshold ? idle : idle - words.age;
}

/// Words that came long before the end and ended nothing count as said.
void judge_quiet(EndFacts& facts, const Reading& reading, const ObservedExchange& seen_exchange) {
	const auto& words = seen_exchange.last_words;
	const bool at_the_end =
		words && (words->age < idle_threshold || is_sized_like_close_notify(*words));
	if (at_the_end && is_parting(*words)) {
		facts.last_words = words;
		facts.idle = idle_before(*words, reading);
		facts.quiet = inferred(Quiet::idle, "that what came last was no answer");
		return;
	}
	facts.idle = age_of_exchange(reading);
	facts.quiet = seen(quiet_of(facts.idle));
	if (at_the_end) {
		facts.quiet = inferred(facts.quiet.value, "that what came last was the end of the answer");
	}
}

/// All that a server says as it closes a connection that nobody used, at most.
constexpr std::uint32_t longest_words_unasked = 2000;

/// We had said nothing: what the peer said counts, or else the handshake. So few bytes that came with the end were said
/// about it.
void take_unasked(EndFacts& facts, const Reading& reading) {
	const Nanoseconds opened = send_age(reading);
	if (facts.direction == Direction::nothing) {
		facts.idle = opened;
		facts.quiet = seen(quiet_of(opened));
		return;
	}
	facts.idle = receive_age(reading);
	facts.quiet = seen(quiet_of(facts.idle));
	const bool few = reading.view.bytes_received <= longest_words_unasked;
	if (facts.quiet.value != Quiet::idle && few && opened >= idle_threshold) {
		facts.idle = opened;
		facts.quiet = inferred(Quiet::idle, "that what came last was no answer");
	}
}

/// What was said last, after the only message, may have been more than its answer.
void infer_quiet(EndFacts& facts, const Reading& reading) {
	const Belief idle = was_idle(reading);
	facts.idle = idle_at_close(reading);
	facts.quiet = seen(idle >= Belief::probably ? Quiet::idle : quiet_of(receive_age(reading)));
	if (idle == Belief::probably) {
		facts.quiet = inferred(Quiet::idle, "that what came last was no answer");
	} else if (idle == Belief::probably_not) {
		facts.quiet = inferred(facts.quiet.value, "that what came last was the answer");
	}
}

/// What came before the peer had acknowledged all of the message may have been said before the peer saw it.
Fact<Answer> answer_of(EndedBy by, const ObservedExchange& observed, const Reading& reading) {
	// Whoever ends with an RST right after its answer has left something unread: the rest of a request, as a rule.
	const bool refused = by == EndedBy::reset && observed.outstanding == Outstanding::none &&
	                     observed.answer == Answer::yes && !observed.answer_read &&
	                     send_age(reading) <= early_window;
	if (refused && answer_waits(reading)) {
		return inferred(Answer::early, "that the request was still being sent");
	}
	const bool crossed =
		observed.answer == Answer::yes && unacked_bytes(reading.view) == 0 &&
		(acknowledged_before_delivery(reading) || received_before_delivery(reading));
	return crossed ? inferred(observed.answer, "that what came last was the answer")
	               : seen(observed.answer);
}

/// So short a message that follows at once on something received, and that the peer's end follows at once, may be flow
/// control of HTTP/2.
bool may_be_no_request(const Reading& reading, const ObservedExchange& observed) {
	constexpr std::uint32_t longest_flow_control = 64;
	constexpr std::uint32_t at_once = 1; // ticks
	const SocketView& view = reading.view;
	const Nanoseconds quick =
		std::chrono::milliseconds(1) + 2 * std::chrono::microseconds(view.srtt_us);
	return observed.answer == Answer::none && view.bytes_received != 0 &&
	       view.write_seq - observed.began_at <= longest_flow_control &&
	       view.receive_age_ticks <= view.send_age_ticks + at_once && send_age(reading) <= quick;
}

void take_observed(EndFacts& facts, const Reading& reading, const ObservedExchange& observed) {
	facts.observed = true;
	facts.outstanding = seen(observed.outstanding);
	facts.answer = answer_of(facts.by, observed, reading);
	const bool again = !observed.first || gap_before_send(reading) >= same_request;
	facts.use = seen(again ? Use::again : Use::fresh);
	if (again && continues_last_send(reading)) {
		facts.use = inferred(Use::again, "that what was written began a new request");
	}
	if (may_be_no_request(reading, observed)) {
		facts.expectation =
			inferred(Expectation::answer, "that what was written last was a request");
	}
	if (observed.one_way) {
		facts.expectation =
			inferred(Expectation::nothing,
		             "that whoever sends without ever being answered expects no answer");
	}
	if (reading.view.exchange) {
		judge_quiet(facts, reading, observed);
	} else {
		infer_quiet(facts, reading);
	}
}

Outstanding outstanding_by_counters(const Reading& reading) {
	if (unacked_bytes(reading.view) == 0) {
		return Outstanding::none;
	}
	return flight_untouched(reading.view) ? Outstanding::all : Outstanding::part;
}

constexpr std::string_view by_counters = "the exchange, from TCP's counters";

/// No hook saw it: TCP's stamps and counters move with segments, not with messages.
void infer_exchange(EndFacts& facts, const Reading& reading) {
	facts.outstanding = inferred(outstanding_by_counters(reading), by_counters);
	facts.answer =
		inferred(answered_since_last_write(reading) ? Answer::yes : Answer::none, by_counters);
	facts.use = inferred(reused_by_last_write(reading) ? Use::again : Use::fresh, by_counters);
	if (continues_last_send(reading)) {
		facts.use.inferred = "that what was written began a new request";
	}
	infer_quiet(facts, reading);
}

/// What we said last was answered, and then the peer waited before it closed: it was no goodbye, although one in TLS 1.3
/// is as long as two bytes of data (a ping of MQTT).
bool went_on(const EndFacts& facts, const Reading& reading) {
	return facts.answer.value == Answer::yes && facts.quiet.value == Quiet::idle &&
	       !ends_with_close_notify(reading);
}

/// As TLS does when it has read the peer's close_notify. Where no hook sees what is written, its length tells, and that
/// it followed on what the peer said unasked.
Fact<Farewell> farewell_of(const Connection& connection, const EndFacts& facts,
                           const Reading& reading) {
	const SocketView& view = reading.view;
	const bool said = connection.farewell_said &&
	                  view.write_seq - connection.farewell_seq <= longest_farewell &&
	                  !went_on(facts, reading);
	if (said) {
		return seen(Farewell::said);
	}
	if (!view.sends_seen && replied_to_last_words(reading) &&
	    is_close_notify_size(unacked_bytes(view))) {
		return inferred(
			Farewell::said,
			"that bytes of this length, which were not visible, are a TLS close_notify");
	}
	return seen(Farewell::none);
}

/// A request that comes so shortly before or after a server's timer meets it.
bool meets_timer(Nanoseconds gap, Nanoseconds timeout) {
	return std::chrono::abs(gap - timeout) <= timeout / 10;
}

/// An RST that comes back at once crossed the request, or answers its arrival; later, the peer had taken it. The other end,
/// where it is on this host, tells.
Fact<Taken> taken_of(const Situation& situation, const Reading& reading) {
	if (situation.other && situation.other->read_part) {
		return seen(*situation.other->read_part ? Taken::yes : Taken::no);
	}
	// Its kernel had the request when it sent the RST; unless that is when the server closes idle connections anyhow, its
	// application had it too.
	if (situation.event->rst_acknowledged &&
	    !(situation.usual_idle && meets_timer(gap_before_send(reading), *situation.usual_idle))) {
		return inferred(Taken::yes, "that the peer had read the request before its RST");
	}
	const Nanoseconds limit =
		std::max<Nanoseconds>(race_window, 4 * std::chrono::microseconds(reading.view.srtt_us));
	return send_age(reading) > limit
	           ? inferred(Taken::yes, "that the peer had read the request before its RST")
	           : inferred(Taken::no, "that the peer had not read the request before its RST");
}

/// A program that wakes itself through a pair of sockets sends now and then, and never answers. Where the holders are not
/// known, messages of a byte or two tell.
Fact<OtherHolder> holder_of(const Situation& situation, const Reading& reading) {
	constexpr std::uint64_t longest_wakeups = 8; // all together
	const SocketView& view = reading.view;
	const bool one_way =
		view.bytes_received == 0 && view.exchange && view.exchange->lone_sends != 0;
	if (one_way && situation.other && situation.other->same_process) {
		return seen(OtherHolder::same_process);
	}
	return one_way && !situation.other && view.bytes_sent <= longest_wakeups
	           ? inferred(OtherHolder::same_process,
	                      "that single bytes without an answer wake a program")
	           : seen(OtherHolder::other);
}

} // namespace

EndFacts end_facts(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	EndFacts facts;
	facts.by = situation.event->kind == EventKind::end ? EndedBy::reset : EndedBy::fin;
	facts.direction = direction_of(reading.view);
	facts.holder = holder_of(situation, reading);
	if (reading.view.bytes_sent == 0) {
		take_unasked(facts, reading);
	} else if (const auto observed = observed_exchange(situation.connection, reading)) {
		take_observed(facts, reading, *observed);
	} else {
		infer_exchange(facts, reading);
	}
	facts.farewell = farewell_of(situation.connection, facts, reading);
	facts.taken = taken_of(situation, reading);
	return facts;
}

} // namespace stalesock
