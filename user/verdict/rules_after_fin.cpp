// SPDX-License-Identifier: Apache-2.0
// We went on after the peer's FIN, or ended the connection ourselves: reuse, farewell or answer?
#include "verdict/end_facts.hpp"
#include "verdict/finding.hpp"
#include "verdict/late_table.hpp"

#include <array>
#include <cerrno>

namespace stalesock {

namespace {

/// As the verdict on the FIN has it.
void take_idle(Evidence& evidence, const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	Event event;
	event.kind = EventKind::peer_fin;
	event.peer_fin_seen = true;
	event.view = fin.view;
	const EndFacts facts = end_facts({situation.connection, &event, situation.tick});
	const Nanoseconds sent = send_age(reading_of(event, situation.tick));
	evidence.idle = facts.idle;
	evidence.send_age.reset();
	if (facts.idle != sent) {
		evidence.send_age = sent;
	}
}

Finding found_late(VerdictKind kind, const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	Finding finding;
	finding.kind = kind;
	finding.time = fin.late->time;
	finding.evidence = evidence_of_late_write(situation.connection, situation.tick);
	if (fin.view && situation.connection.role == Role::active) {
		take_idle(finding.evidence, situation);
	}
	if (fin.time_inferred) {
		infer(finding, Confidence::likely, "the time of the FIN");
	}
	if (!fin.late->time_known) {
		infer(finding, Confidence::likely,
		      "the time of the write, and what the application had read by then");
	}
	if (situation.connection.role_inferred) {
		infer(finding, Confidence::likely, "which side opened the connection");
	}
	admit_sight(finding, situation.connection);
	if (fin.view) {
		admit_losses(finding, *fin.view);
	}
	return finding;
}

/// Whoever closes first does not wait for the peer's close_notify: nothing is lost with it.
bool is_unread_close_notify(const Reading& reading) {
	const std::uint32_t unread = unread_bytes(reading);
	return unread != 0 && ends_with_close_notify(reading) &&
	       reading.view.bytes_received >= least_of_handshake + unread &&
	       reading.view.bytes_sent >= least_of_handshake;
}

/// A request that came just as an idle connection was closed, and of which nothing was read: a race that no server can
/// avoid.
bool is_race_of_client(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const SocketView& view = reading.view;
	const std::uint32_t received = view.rcv_nxt - (reading.fin_received ? 1U : 0U);
	const bool nothing_read = !view.exchange || view.copied_seq == view.exchange->send_copied_seq;
	return view.bytes_sent != 0 && nothing_read && received != view.copied_seq &&
	       send_age(reading) >= idle_threshold &&
	       view.receive_age_ticks * situation.tick < race_window;
}

bool ended_by_peer(const Event& event) {
	return event.error == ECONNRESET || event.error == EPIPE;
}

} // namespace

std::optional<Finding> judge_late_write(const Situation& situation) {
	const LateFacts facts = late_facts(situation);
	const LateRow* const row = find_row(facts);
	if (row == nullptr || !row->says) {
		return std::nullopt;
	}
	Finding finding = found_late(*row->says, situation);
	if (const Certainty certainty = certainty_of(*row, facts);
	    certainty.confidence != Confidence::certain) {
		infer(finding, certainty.confidence, certainty.inferred);
	}
	if (facts.bytes.value == LateBytes::control) {
		finding.evidence.late_head = to_string(PayloadHead::http2_control);
	}
	return finding;
}

std::optional<Finding> passive_farewell(const Situation& situation) {
	const LateFacts facts = late_facts(situation);
	if (facts.bytes.value != LateBytes::goodbye && facts.bytes.value != LateBytes::control) {
		return std::nullopt;
	}
	Finding finding = found_late(VerdictKind::farewell_write, situation);
	if (facts.bytes.confidence != Confidence::certain) {
		infer(finding, facts.bytes.confidence, facts.bytes.inferred);
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
	if (situation.connection.role == Role::passive && is_race_of_client(situation)) {
		return std::nullopt;
	}
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

std::span<const Rule> rules_at_passive_end() {
	static constexpr std::array<Rule, 3> rules{passive_farewell, half_close_response,
	                                           abandoned_response};
	return rules;
}

} // namespace stalesock
