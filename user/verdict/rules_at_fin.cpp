// SPDX-License-Identifier: Apache-2.0
// The peer ended the connection, by FIN or by RST: the table decides, and this fills in what it rests on.
#include "verdict/end_table.hpp"
#include "verdict/finding.hpp"

#include <utility>

namespace stalesock {

namespace {

Finding found(VerdictKind kind, const Situation& situation, const EndFacts& facts) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	Finding finding;
	finding.kind = kind;
	finding.time = situation.event->time;
	finding.evidence = evidence_of(reading, situation.connection);
	if (facts.idle != finding.evidence.idle) {
		finding.evidence.send_age = std::exchange(finding.evidence.idle, facts.idle);
	}
	finding.evidence.unacked_at_fin = unacked_bytes(reading.view);
	if (kind == VerdictKind::reuse_race) {
		finding.evidence.gap = gap_before_send(reading);
	}
	if (facts.by == EndedBy::reset) {
		finding.evidence.rst_received = true;
		finding.evidence.unacked_at_fin.reset();
	}
	if (situation.connection.role_inferred) {
		infer(finding, Confidence::likely, "that we opened the connection");
	}
	admit_sight(finding, situation.connection);
	admit_losses(finding, reading.view);
	return finding;
}

/// What was on its way may have been a goodbye, or flow control of HTTP/2.
bool may_be_no_request(const Finding& finding, const Reading& reading) {
	const std::uint32_t outstanding = unacked_bytes(reading.view);
	return finding.kind == VerdictKind::early_response && outstanding != 0 &&
	       outstanding <= longest_farewell;
}

} // namespace

std::optional<Finding> judge_end(const Situation& situation) {
	const EndFacts facts = end_facts(situation);
	const EndRow* const row = find_row(facts);
	if (row == nullptr || !row->says) {
		return std::nullopt;
	}
	Finding finding = found(*row->says, situation, facts);
	if (const Certainty certainty = certainty_of(*row, facts);
	    certainty.confidence != Confidence::certain) {
		infer(finding, certainty.confidence, certainty.inferred);
	}
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (may_be_no_request(finding, reading)) {
		infer(finding, Confidence::likely, "that what was on its way was part of a request");
	}
	finding.counts_when_agreed =
		finding.kind == VerdictKind::idle_close &&
		(facts.last_words || !facts.observed || ends_with_close_notify(reading) ||
	     facts.expectation.value == Expectation::nothing) &&
		situation.connection.sight == Sight::socket && !situation.connection.role_inferred;
	return finding;
}

bool may_become_early_response(const Connection& connection, Nanoseconds tick) {
	const auto reading = reading_at_fin(connection, tick);
	return reading && unread_bytes(*reading) > 0 && send_age(*reading) <= early_window;
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
