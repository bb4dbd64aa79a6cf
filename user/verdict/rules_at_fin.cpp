// SPDX-License-Identifier: Apache-2.0
// The peer ended the connection, by FIN or by RST: what was outstanding then?
#include "verdict/finding.hpp"

#include <algorithm>
#include <array>

namespace stalesock {

namespace {

Finding found(VerdictKind kind, const Situation& situation) {
	Finding finding;
	finding.kind = kind;
	finding.time = situation.event->time;
	const Reading reading = reading_of(*situation.event, situation.tick);
	finding.evidence = evidence_of_close(reading, situation.connection);
	finding.evidence.unacked_at_fin = unacked_bytes(reading.view);
	if (kind == VerdictKind::reuse_race) {
		finding.evidence.gap = gap_before_send(reading);
	}
	if (situation.event->kind == EventKind::end) {
		finding.evidence.rst_received = true;
		finding.evidence.unacked_at_fin.reset();
	}
	if (situation.connection.role_inferred) {
		infer(finding, Confidence::likely, "that we opened the connection");
	}
	admit_sight(finding, situation.connection);
	return finding;
}

Finding found_idle(const Situation& situation, Belief idle) {
	Finding finding = found(VerdictKind::idle_close, situation);
	const bool seen =
		situation.connection.sight == Sight::socket; // a capture shows what our segment was
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (seen && idle_is_guessed(reading)) {
		infer(finding, Confidence::likely, "that our last segment acknowledged the answer");
		return finding;
	}
	if (idle != Belief::yes) {
		infer(finding, Confidence::likely, "that what came last was no answer");
		finding.parting_words =
			situation.connection.sight == Sight::socket && !situation.connection.role_inferred;
	} else if (received_before_delivery(reading)) {
		infer(finding, Confidence::likely, "that what came last was the answer");
	}
	return finding;
}

/// The answer was there before we had sent everything.
bool still_sending(const Reading& reading) {
	if (unacked_bytes(reading.view) != 0) {
		return answered_since_last_write(reading);
	}
	return answer_waits(reading) && !received_since_last_write(reading) &&
	       send_age(reading) <= early_window;
}

/// We wrote as soon as something came, and the peer ended as soon as we had written: it may have been flow control of
/// HTTP/2 for the end of an answer.
bool ended_the_moment_we_wrote(const Reading& reading) {
	constexpr Nanoseconds at_once = std::chrono::milliseconds(1);
	const SocketView& view = reading.view;
	return view.bytes_received != 0 && view.receive_age_ticks <= view.send_age_ticks + 1 &&
	       send_age(reading) <= at_once + 2 * std::chrono::microseconds(view.srtt_us);
}

Nanoseconds race_limit(const SocketView& view) {
	return std::max<Nanoseconds>(race_window, 4 * std::chrono::microseconds(view.srtt_us));
}

/// Less than a request's parts may be apart: only the order of events speaks for a new request.
void infer_new_request(Finding& finding, const Reading& reading) {
	if (continues_last_send(reading)) {
		infer(finding, Confidence::likely, "that what was written began a new request");
	}
}

/// What the application has read, or what another saw, may have been the last words after an earlier exchange.
void infer_answer(Finding& finding, const Reading& reading, const Situation& situation) {
	if (unread_bytes(reading) == 0 || situation.connection.sight != Sight::socket) {
		infer(finding, Confidence::likely, "that what was received is the answer");
	}
}

/// What we said last was answered, and then the peer waited before it closed: it was no goodbye, although one in TLS 1.3
/// is as long as two bytes of data (a ping of MQTT).
bool went_on_after_answer(const Reading& reading) {
	return answered_since_last_write(reading) && receive_age(reading) >= idle_threshold &&
	       !ends_with_close_notify(reading);
}

} // namespace

/// The application had said goodbye, as TLS does when it has read the peer's close_notify, before the end came. Where
/// no hook sees what is written, its length tells, and that it followed on what the peer said unasked.
std::optional<Finding> farewell_before_end(const Situation& situation) {
	const Connection& connection = situation.connection;
	const Reading reading = reading_of(*situation.event, situation.tick);
	const bool seen = connection.farewell_said &&
	                  reading.view.write_seq - connection.farewell_seq <= longest_farewell &&
	                  !went_on_after_answer(reading);
	if (!seen && (reading.view.sends_seen || !replied_to_last_words(reading) ||
	              !is_close_notify_size(unacked_bytes(reading.view)))) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::farewell_write, situation);
	if (!seen) {
		infer(finding, Confidence::likely,
		      "that bytes of this length, which were not visible, are a TLS close_notify");
	}
	return finding;
}

std::optional<Finding> reuse_race(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	// A part of it acknowledged: the peer had begun to take the request before it closed.
	if (!flight_untouched(reading.view) || answered_since_last_write(reading) ||
	    !reused_by_last_write(reading)) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::reuse_race, situation);
	infer_new_request(finding, reading);
	return finding;
}

std::optional<Finding> unanswered_close(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const bool outstanding = unacked_bytes(reading.view) != 0;
	if (reading.view.bytes_sent == 0 || answered_since_last_write(reading) ||
	    (outstanding && !flight_untouched(reading.view))) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::unanswered_close, situation);
	if (outstanding) { // the first request of a fresh connection, so no race of a reuse
		infer(finding, Confidence::likely, "that the peer refused the request");
	} else if (ended_the_moment_we_wrote(reading)) {
		infer(finding, Confidence::likely, "that what was written last was a request");
	}
	return finding;
}

std::optional<Finding> early_response_at_fin(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (!still_sending(reading)) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::early_response, situation);
	infer_answer(finding, reading, situation);
	const std::uint32_t outstanding = unacked_bytes(reading.view);
	if (outstanding != 0 &&
	    outstanding <= longest_farewell) { // or a goodbye, or flow control of HTTP/2
		infer(finding, Confidence::likely, "that what was on its way was part of a request");
	}
	return finding;
}

std::optional<Finding> limit_close(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const Belief idle = was_idle(reading);
	if (unacked_bytes(reading.view) != 0 || reading.view.bytes_sent == 0 ||
	    idle >= Belief::probably) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::limit_close, situation);
	if (idle != Belief::no || acknowledged_before_delivery(reading) ||
	    received_before_delivery(reading)) {
		infer(finding, Confidence::likely, "that what came last was the answer");
	}
	return finding;
}

std::optional<Finding> idle_close(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const Belief idle = was_idle(reading);
	if (unacked_bytes(reading.view) != 0 || idle < Belief::probably) {
		return std::nullopt;
	}
	return found_idle(situation, idle);
}

std::optional<Finding> reuse_race_by_reset(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (reading.view.bytes_sent == 0 || answered_since_last_write(reading) ||
	    !reused_by_last_write(reading) || send_age(reading) > race_limit(reading.view)) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::reuse_race, situation);
	infer_new_request(finding, reading);
	if (!flight_untouched(reading.view)) {
		infer(finding, Confidence::likely, "that the peer closed before it read the request");
	}
	return finding;
}

std::optional<Finding> unanswered_reset(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (reading.view.bytes_sent == 0 || answered_since_last_write(reading)) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::unanswered_close, situation);
	infer(finding, Confidence::likely, "that the peer had read the request before its RST");
	return finding;
}

std::optional<Finding> early_response_by_reset(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const bool sending = still_sending(reading);
	// Whoever resets right after an answer has left bytes unread: the rest of a request.
	if (!sending && (!answer_waits(reading) || send_age(reading) > early_window)) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::early_response, situation);
	infer_answer(finding, reading, situation);
	if (!sending) {
		infer(finding, Confidence::likely, "that the request was still being sent");
	}
	return finding;
}

std::optional<Finding> idle_reset(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const Belief idle = was_idle(reading);
	if (idle < Belief::probably) {
		return std::nullopt;
	}
	return found_idle(situation, idle);
}

bool may_become_early_response(const Connection& connection, Nanoseconds tick) {
	const auto reading = reading_at_fin(connection, tick);
	return reading && unread_bytes(*reading) > 0 && send_age(*reading) <= early_window;
}

std::span<const Rule> rules_at_peer_fin() {
	static constexpr std::array<Rule, 6> rules{farewell_before_end,   reuse_race,  unanswered_close,
	                                           early_response_at_fin, limit_close, idle_close};
	return rules;
}

std::span<const Rule> rules_at_reset() {
	static constexpr std::array<Rule, 6> rules{silent_drop_by_reset,    farewell_before_end,
	                                           reuse_race_by_reset,     unanswered_reset,
	                                           early_response_by_reset, idle_reset};
	return rules;
}

std::optional<Finding> first_finding(std::span<const Rule> rules, const Situation& situation) {
	for (const Rule rule : rules) {
		if (auto finding = rule(situation)) {
			return finding;
		}
	}
	return std::nullopt;
}

} // namespace stalesock
