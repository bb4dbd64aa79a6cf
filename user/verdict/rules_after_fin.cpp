// SPDX-License-Identifier: Apache-2.0
// We went on after the peer's FIN, or ended the connection ourselves: reuse, farewell or answer?
#include "verdict/finding.hpp"

#include <array>
#include <cerrno>

namespace stalesock {

namespace {

/// No hook saw it begin, or kernel TLS gave TCP pages of its own.
bool is_hidden(const LateWrite& late) {
	return !late.begin_seen || late.kernel_tls;
}

/// The peer's FIN came with its answer, or while it sent one.
bool closed_amid_exchange(const Situation& situation) {
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	return reading && was_idle(*reading) < Belief::probably;
}

Finding found_late(VerdictKind kind, const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	Finding finding;
	finding.kind = kind;
	finding.time = fin.late->time;
	finding.evidence = evidence_of_late_write(situation.connection, situation.tick);
	if (fin.time_inferred) {
		infer(finding, Confidence::likely, "the time of the FIN");
	}
	if (!fin.late->time_known) {
		infer(finding, Confidence::likely,
		      "the time of the write, and what the application had read by then");
	}
	if (fin.late->head == PayloadHead::unknown &&
	    (fin.late->bytes <= longest_farewell ||
	     (kind == VerdictKind::stale_reuse && closed_amid_exchange(situation)))) {
		infer(finding, Confidence::likely,
		      kind == VerdictKind::farewell_write
		          ? "that bytes of this length, which were not visible, are a TLS close_notify"
		          : "that the bytes, which were not visible, are no farewell");
	}
	if (kind == VerdictKind::early_response && is_hidden(*fin.late)) {
		infer(finding, Confidence::likely,
		      "that the bytes, which were not visible, are the rest of the request");
	}
	if (situation.connection.role_inferred) {
		infer(finding, Confidence::likely, "which side opened the connection");
	}
	admit_sight(finding, situation.connection);
	return finding;
}

const LateWrite* late_of(const Connection& connection) {
	return connection.fin && connection.fin->late ? &*connection.fin->late : nullptr;
}

bool is_tls_short_record(const LateWrite& late) {
	return late.head == PayloadHead::tls_data && late.record_length > tls_alert_record &&
	       late.record_length <= tls_short_record && late.bytes <= longest_farewell;
}

/// Of a hidden write a close_notify is known by its length. Either side sends one at every close.
bool is_sized_like_close_notify(const LateWrite& late, std::uint32_t bytes) {
	return is_hidden(late) && late.head == PayloadHead::unknown && is_close_notify_size(bytes);
}

/// A parting word by its content alone.
bool is_plain_farewell(const LateWrite& late) {
	if (late.head == PayloadHead::goodbye) {
		return late.bytes <= (late.writes <= 1 ? longest_farewell : longest_goodbye);
	}
	if (late.bytes > longest_farewell) {
		return false;
	}
	return late.head == PayloadHead::tls_alert ||
	       (late.head == PayloadHead::tls_data && late.record_length <= tls_alert_record);
}

/// The answer that lay unread at the FIN still lies there, and we had only just been sending.
bool is_early_response(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const LateWrite& late = *fin.late;
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	if (late.head == PayloadHead::http_request) { // a new request, not the rest of one
		return false;
	}
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

/// One thread reads the answer and the end of file, while another goes on to send the request: no pool takes up a
/// connection whose end of file was read, and a new request of HTTP/1 would begin with its method.
bool answer_was_read_meanwhile(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const LateWrite& late = *fin.late;
	const auto reading = reading_at_fin(situation.connection, situation.tick);
	const bool rest = late.head == PayloadHead::other ||
	                  (late.head == PayloadHead::tls_data && late.record_length > tls_short_record);
	return reading && rest && fin.eof_read && situation.connection.sight == Sight::socket &&
	       answered_since_last_write(*reading) && send_age(*reading) <= early_window &&
	       late.time - fin.time <= early_window;
}

/// The FIN was not seen, but when the connection was found the application was sending while an answer lay unread,
/// and it has not stopped since.
bool was_found_sending(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const LateWrite& late = *fin.late;
	if (situation.connection.sight != Sight::socket || fin.view || !fin.found ||
	    late.head == PayloadHead::http_request) {
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
	const LateWrite& late = *situation.connection.fin->late;
	const bool unseen = !late.time_known || (situation.connection.sight != Sight::socket &&
	                                         late.head != PayloadHead::http_request);
	return unseen && late.time - situation.connection.fin->time <= early_continuation &&
	       may_become_early_response(situation.connection, situation.tick);
}

/// Whoever closes first does not wait for the peer's close_notify: nothing is lost with it.
bool is_unread_close_notify(const Reading& reading) {
	const std::uint32_t unread = unread_bytes(reading);
	return unread != 0 && ends_with_close_notify(reading) &&
	       reading.view.bytes_received >= least_of_handshake + unread &&
	       reading.view.bytes_sent >= least_of_handshake;
}

bool ended_by_peer(const Event& event) {
	return event.error == ECONNRESET || event.error == EPIPE;
}

} // namespace

bool is_flow_control(const Situation& situation) {
	const Connection& connection = situation.connection;
	const LateWrite& late = *connection.fin->late;
	if (late.head == PayloadHead::http2_control) {
		return true;
	}
	return late.control_sized && connection.role == Role::active &&
	       closed_amid_exchange(situation) &&
	       (late.unread > longest_parting_record ||
	        late.time - connection.fin->time <= early_continuation);
}

bool farewell_is_open(const Connection& connection) {
	const LateWrite* late = late_of(connection);
	return late != nullptr && is_tls_short_record(*late) && !late->read_afterwards &&
	       !connection.fin->closed_by_us;
}

std::optional<Finding> farewell_write(const Situation& situation) {
	const LateWrite& late = *late_of(situation.connection);
	if (is_plain_farewell(late) || is_sized_like_close_notify(late, late.bytes)) {
		return found_late(VerdictKind::farewell_write, situation);
	}
	if (is_flow_control(situation)) {
		Finding control = found_late(VerdictKind::farewell_write, situation);
		control.evidence.late_head = to_string(PayloadHead::http2_control);
		if (late.head != PayloadHead::http2_control) {
			infer(control, Confidence::likely,
			      "that TLS records of this length are flow control of HTTP/2");
		}
		return control;
	}
	if (!is_tls_short_record(late) || late.read_afterwards) {
		return std::nullopt;
	}
	Finding finding = found_late(VerdictKind::farewell_write, situation);
	infer(finding, Confidence::likely, "that so short a TLS record is no request");
	return finding;
}

std::optional<Finding> early_response_by_late_write(const Situation& situation) {
	if (situation.connection.role != Role::active) {
		return std::nullopt;
	}
	const bool early = is_early_response(situation);
	const bool read_meanwhile = !early && answer_was_read_meanwhile(situation);
	if (!early && !read_meanwhile && !was_found_sending(situation)) {
		return std::nullopt;
	}
	Finding finding = found_late(VerdictKind::early_response, situation);
	if (read_meanwhile) {
		infer(finding, Confidence::likely, "that what was written was the rest of the request");
		return finding;
	}
	if (early && situation.connection.sight != Sight::socket) {
		infer(finding, Confidence::likely, "that the application had not read the answer");
	}
	if (!early) {
		const FinFacts& fin = *situation.connection.fin;
		const bool found_by_it = fin.late->time <= fin.found_time;
		infer(finding, found_by_it ? Confidence::possible : Confidence::likely,
		      "that the request was still being sent at the FIN");
	}
	return finding;
}

std::optional<Finding> stale_reuse(const Situation& situation) {
	if (situation.connection.role != Role::active) {
		return std::nullopt;
	}
	const LateWrite& late = *late_of(situation.connection);
	if (late.continued) { // begun in ESTABLISHED: the FIN came while it waited for room
		return std::nullopt;
	}
	Finding finding = found_late(VerdictKind::stale_reuse, situation);
	if (may_have_been_early_response(situation)) {
		infer(finding, Confidence::possible, "that the request was over when it was answered");
	}
	return finding;
}

std::optional<Finding> half_close_response(const Situation& situation) {
	if (situation.event->error != 0 || situation.event->old_state != TcpState::last_ack) {
		return std::nullopt;
	}
	return found_late(VerdictKind::half_close_response, situation);
}

std::optional<Finding> abandoned_response(const Situation& situation) {
	if (!ended_by_peer(*situation.event)) {
		return std::nullopt;
	}
	return found_late(VerdictKind::abandoned_response, situation);
}

std::optional<Finding> dirty_close(const Situation& situation) {
	constexpr std::uint8_t both_directions = 3;
	const Event& event = *situation.event;
	if (event.error != 0 || event.shutdown != both_directions || !event.actor || event.destroyed ||
	    (event.old_state != TcpState::established && event.old_state != TcpState::close_wait)) {
		return std::nullopt;
	}
	const Reading reading = reading_of(event, situation.tick);
	const std::uint32_t unread = unread_bytes(reading);
	if (unread == 0 || is_unread_close_notify(reading)) {
		return std::nullopt;
	}
	Finding finding;
	finding.kind = VerdictKind::dirty_close;
	finding.time = event.time;
	finding.evidence = evidence_of(reading, situation.connection);
	finding.evidence.rst_sent = true;
	return finding;
}

std::span<const Rule> rules_at_abort() {
	static constexpr std::array<Rule, 1> rules{dirty_close};
	return rules;
}

std::span<const Rule> rules_at_late_write() {
	static constexpr std::array<Rule, 3> rules{farewell_write, early_response_by_late_write,
	                                           stale_reuse};
	return rules;
}

std::span<const Rule> rules_at_passive_end() {
	static constexpr std::array<Rule, 2> rules{half_close_response, abandoned_response};
	return rules;
}

} // namespace stalesock
