// SPDX-License-Identifier: Apache-2.0
#include "verdict/late_facts.hpp"

#include "verdict/finding.hpp"

#include <algorithm>

namespace stalesock {

namespace {

/// Whoever says goodbye in words of its own says it in so many bytes at most, and closes within this time.
constexpr std::uint32_t longest_unknown_farewell = 256;
constexpr Nanoseconds closed_at_once = std::chrono::milliseconds(100);

/// No hook saw it begin, or kernel TLS gave TCP pages of its own.
bool is_hidden(const LateWrite& late) {
	return !late.begin_seen || late.kernel_tls;
}

const LateWrite& late_of(const Connection& connection) {
	return *connection.fin->late;
}

/// The peer's FIN came with its answer, or while it sent one.
bool closed_amid_exchange(const Situation& situation) {
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	if (!reading) {
		return false;
	}
	Event fin;
	fin.kind = EventKind::peer_fin;
	fin.peer_fin_seen = true;
	fin.view = reading->view;
	return end_facts({situation.connection, &fin, situation.tick}).quiet.value != Quiet::idle;
}

bool is_tls_short_record(const LateWrite& late) {
	return late.head == PayloadHead::tls_data && late.record_length > tls_alert_record &&
	       late.record_length <= tls_short_record && late.bytes <= longest_farewell;
}

/// Of a hidden write a close_notify is known by its length. Either side sends one at every close.
bool is_sized_like_close_notify(const LateWrite& late, std::uint64_t bytes) {
	return is_hidden(late) && late.head == PayloadHead::unknown && is_close_notify_size(bytes);
}

/// A parting word by its content alone.
bool is_plain_farewell(const LateWrite& late) {
	if (late.head == PayloadHead::goodbye) {
		return late.bytes <= (late.writes <= 1 ? longest_parting_line : longest_goodbye);
	}
	const bool alert =
		late.head == PayloadHead::tls_alert ||
		(late.head == PayloadHead::tls_data && late.record_length <= tls_alert_record);
	const std::uint32_t record = tls_header + late.record_length;
	return alert && (late.bytes <= longest_farewell || late.bytes == record);
}

/// Not visible, and so short, or written amid an exchange, that it may have been a farewell or flow control.
bool may_be_no_request(const Situation& situation) {
	const LateWrite& late = late_of(situation.connection);
	return late.head == PayloadHead::unknown &&
	       (late.bytes <= longest_farewell || closed_amid_exchange(situation));
}

Fact<LateBytes> bytes_of(const Situation& situation) {
	const LateWrite& late = late_of(situation.connection);
	if (is_plain_farewell(late)) {
		return seen(LateBytes::goodbye);
	}
	if (is_sized_like_close_notify(late, late.bytes)) {
		return inferred(
			LateBytes::goodbye,
			"that bytes of this length, which were not visible, are a TLS close_notify");
	}
	if (late.head == PayloadHead::http2_control) {
		return seen(LateBytes::control);
	}
	if (is_flow_control(situation)) {
		return inferred(LateBytes::control,
		                "that TLS records of this length are flow control of HTTP/2");
	}
	if (is_tls_short_record(late) && !late.read_afterwards) {
		return inferred(LateBytes::goodbye, "that so short a TLS record is no request");
	}
	if (late.head == PayloadHead::http_request) {
		return seen(LateBytes::request);
	}
	return may_be_no_request(situation)
	           ? inferred(LateBytes::other,
	                      "that the bytes, which were not visible, are no farewell")
	           : seen(LateBytes::other);
}

/// The answer that lay unread at the FIN still lies there, and we had only just been sending.
bool is_early_response(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const LateWrite& late = *fin.late;
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	if (!reading || !may_become_early_response(situation.connection, situation.tick)) {
		return false;
	}
	// Over TLS a close_notify lies unread although the answer was read.
	const std::uint32_t unread = unread_bytes(*reading);
	const bool tls = late.head == PayloadHead::tls_data || late.head == PayloadHead::tls_alert;
	if (is_sized_like_close_notify(late, unread) || (tls && unread <= longest_parting_record)) {
		return false;
	}
	return late.copied_seq == reading->view.copied_seq &&
	       late.time - fin.time <= early_continuation;
}

/// The end of file is read exactly when the FIN's number is, unless bytes lay before it: those take it along.
bool knew_of_end(const FinFacts& fin) {
	const bool bare_fin = fin.view && fin.view->rcv_nxt - fin.view->copied_seq == 1;
	return fin.eof_read || (bare_fin && fin.late->time_known && fin.late->unread == 0);
}

/// One thread reads the answer and the end of file, while another goes on to send the request: no pool takes up a
/// connection whose end of file was read, and a new request of HTTP/1 would begin with its method.
bool answer_was_read_meanwhile(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const LateWrite& late = *fin.late;
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	const bool rest = late.head == PayloadHead::other ||
	                  (late.head == PayloadHead::tls_data && late.record_length > tls_short_record);
	return reading && rest && knew_of_end(fin) && situation.connection.sight == Sight::socket &&
	       answered_since_last_write(*reading) && send_age(*reading) <= early_window &&
	       late.time - fin.time <= early_window;
}

/// The FIN was not seen, but when the connection was found the application was sending while an answer lay unread,
/// and it has not stopped since.
bool was_found_sending(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const LateWrite& late = *fin.late;
	if (situation.connection.sight != Sight::socket || fin.view || !fin.found) {
		return false;
	}
	const Reading found{*fin.found, true, false, situation.tick};
	return unread_bytes(found) > longest_parting_record && send_age(found) <= early_window &&
	       late.copied_seq == fin.found->copied_seq &&
	       late.time - fin.found_time <= early_continuation;
}

/// The answer that lay unread at the FIN was read before the write was found, but perhaps after the write; a
/// packet capture does not show when.
bool may_have_been_early_response(const Situation& situation) {
	const LateWrite& late = late_of(situation.connection);
	const bool unseen = !late.time_known || situation.connection.sight != Sight::socket;
	return unseen && late.time - situation.connection.fin->time <= early_continuation &&
	       may_become_early_response(situation.connection, situation.tick);
}

/// Nothing was read since the message that the peer hung up on, and it goes on: at once, or after no more than a second
/// where the parts of a message had not been so far apart before.
bool is_rest_of_unanswered(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	if (!reading || reading->view.bytes_sent == 0) {
		return false;
	}
	const auto observed = observed_exchange(situation.connection, *reading);
	if (!observed || observed->answer != Answer::none ||
	    fin.late->copied_seq - reading->view.copied_seq > 1) { // the end of file is one
		return false;
	}
	const Nanoseconds gap = fin.late->time - fin.time + send_age(*reading);
	return gap < same_request || (gap <= early_continuation && observed->lone_messages == 0);
}

Fact<Continues> continues_of(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	if (fin.late->head == PayloadHead::http_request) { // a new request, not the rest of one
		return seen(Continues::nothing);
	}
	const bool hidden = is_hidden(*fin.late);
	if (is_early_response(situation)) {
		if (hidden) {
			return inferred(Continues::answered,
			                "that the bytes, which were not visible, are the rest of the request");
		}
		return situation.connection.sight == Sight::socket
		           ? seen(Continues::answered)
		           : inferred(Continues::answered, "that the application had not read the answer");
	}
	if (answer_was_read_meanwhile(situation)) {
		return inferred(Continues::answered, "that what was written was the rest of the request");
	}
	if (was_found_sending(situation)) {
		const bool found_by_it = fin.late->time <= fin.found_time;
		return {Continues::answered, found_by_it ? Confidence::possible : Confidence::likely,
		        "that the request was still being sent at the FIN"};
	}
	if (is_rest_of_unanswered(situation)) {
		return seen(Continues::unanswered);
	}
	if (may_have_been_early_response(situation)) {
		return {Continues::nothing, Confidence::possible,
		        "that the request was over when it was answered"};
	}
	return seen(Continues::nothing);
}

/// Whoever is there acknowledges within a round trip, and what delayed ACKs add to it.
Fact<Fate> fate_of(const Situation& situation) {
	constexpr Nanoseconds longest_acknowledgement = std::chrono::milliseconds(200);
	const FinFacts& fin = *situation.connection.fin;
	if (fin.rst_received) {
		return seen(Fate::refused);
	}
	if (fin.late_taken) {
		return seen(Fate::taken);
	}
	const bool silent =
		fin.late_unacked &&
		(!fin.late->time_known || *fin.late_unacked - fin.late->time >= longest_acknowledgement);
	if (fin.late_resent || silent) {
		return inferred(Fate::refused, "that nobody takes what was written");
	}
	if (situation.now - fin.late->time >= late_write_is_old) {
		return inferred(Fate::taken, "that what was not sent again was acknowledged");
	}
	return seen(Fate::open);
}

/// On the wire: after a long silence it wrote within so short a time of the FIN that the FIN must have woken it.
bool wrote_on_the_fin(const Situation& situation) {
	constexpr Nanoseconds at_once = std::chrono::milliseconds(2);
	const FinFacts& fin = *situation.connection.fin;
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	return reading && fin.late->writes == 1 && fin.late->bytes <= longest_unknown_farewell &&
	       fin.late->time - fin.time <= at_once && send_age(*reading) >= idle_threshold;
}

Fact<Then> then_of(const Situation& situation) {
	const Connection& connection = situation.connection;
	const FinFacts& fin = *connection.fin;
	const LateWrite& late = *fin.late;
	if (late.read_afterwards) {
		return seen(Then::waited);
	}
	if (connection.sight != Sight::socket && wrote_on_the_fin(situation)) {
		return inferred(Then::parted, "that the FIN made the application write");
	}
	const bool at_once = fin.closed && *fin.closed - late.time <= closed_at_once;
	if (at_once && late.bytes <= longest_unknown_farewell && knew_of_end(fin)) {
		return seen(Then::parted);
	}
	return seen(fin.closed_by_us ? Then::left : Then::stays);
}

/// As end_facts() has it of the FIN.
bool is_self_pipe(const Situation& situation) {
	const auto& view = situation.connection.fin->view;
	return situation.other && situation.other->same_process && view && view->bytes_received == 0 &&
	       view->exchange && view->exchange->lone_sends != 0;
}

} // namespace

LateFacts late_facts(const Situation& situation) {
	const Connection& connection = situation.connection;
	LateFacts facts;
	facts.holder = seen(is_self_pipe(situation) ? OtherHolder::same_process : OtherHolder::other);
	facts.begun = seen(late_of(connection).continued ? Begun::before_fin : Begun::after_fin);
	facts.bytes = bytes_of(situation);
	facts.continues = continues_of(situation);
	facts.fate = fate_of(situation);
	facts.then = then_of(situation);
	return facts;
}

bool is_flow_control(const Situation& situation) {
	const Connection& connection = situation.connection;
	const LateWrite& late = late_of(connection);
	if (late.head == PayloadHead::http2_control) {
		return true;
	}
	return late.control_sized && connection.role == Role::active &&
	       closed_amid_exchange(situation) &&
	       (late.unread > longest_parting_record ||
	        late.time - connection.fin->time <= early_continuation);
}

bool late_write_is_open(const Situation& situation) {
	const Connection& connection = situation.connection;
	if (!connection.fin || !connection.fin->late) {
		return false;
	}
	const FinFacts& fin = *connection.fin;
	const LateWrite& late = *fin.late;
	if (late.head == PayloadHead::http_request || late.read_afterwards) {
		return false;
	}
	if (continues_of(situation).value == Continues::answered) { // whatever becomes of it
		return false;
	}
	const Fate fate = fate_of(situation).value;
	if (fin.closed_by_us) {
		return fate == Fate::open;
	}
	const bool may_say_goodbye =
		is_tls_short_record(late) || (knew_of_end(fin) && late.bytes <= longest_unknown_farewell);
	return may_say_goodbye || fate != Fate::refused;
}

} // namespace stalesock
