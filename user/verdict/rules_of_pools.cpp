// SPDX-License-Identifier: Apache-2.0
// What one event says only together with what has been learned of the peer.
#include "verdict/finding.hpp"

#include "verdict/peer.hpp"

namespace stalesock {

namespace {

Finding found(VerdictKind kind, const Situation& situation) {
	const Event& event = *situation.event;
	Finding finding;
	finding.kind = kind;
	finding.time = event.time;
	const Reading reading = reading_of(event, situation.tick);
	finding.evidence = reading.fin_received ? evidence_of_close(reading, situation.connection)
	                                        : evidence_of(reading, situation.connection);
	finding.evidence.keepalive_idle = keepalive_idle_of(event, situation.tick);
	if (situation.connection.role_inferred) {
		infer(finding, Confidence::likely, "that we opened the connection");
	}
	admit_sight(finding, situation.connection);
	return finding;
}

} // namespace

bool is_early_idle_close(const Finding& finding, const Peer* peer) {
	const bool sure = finding.confidence == Confidence::certain || finding.counts_when_agreed;
	return finding.kind == VerdictKind::idle_close && sure &&
	       finding.evidence.bytes_sent.value_or(0) != 0 && peer != nullptr && peer->idle_timeout &&
	       finding.evidence.idle &&
	       *finding.evidence.idle * early_share < peer->idle_timeout->lowest;
}

std::optional<Finding> keepalive_ineffective(const Situation& situation) {
	const Connection& connection = situation.connection;
	const Event& event = *situation.event;
	if (connection.keepalive_probes == 0 || !event.keepalive || !event.view) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::keepalive_ineffective, situation);
	if (!connection.probe_answered) {
		infer(finding, Confidence::likely, "that the probe was answered, as the FIN came later");
	}
	return finding;
}

std::optional<Finding> pool_mismatch(const Situation& situation, const Peer& peer) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	const Nanoseconds gap = send_age(reading);
	if (!peer.idle_timeout || !is_near_miss(gap, peer.idle_timeout->lowest)) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::pool_mismatch, situation);
	finding.evidence.idle.reset();
	finding.evidence.gap = gap;
	finding.evidence.near_misses = peer.near_misses;
	return finding;
}

std::optional<Finding> keepalive_late(const Situation& situation, const Peer& peer) {
	const auto begins = keepalive_idle_of(*situation.event, situation.tick);
	if (!begins || !peer.silent_drop_limit || *begins < peer.silent_drop_limit->lowest) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::keepalive_late, situation);
	finding.evidence.dropped_after = peer.silent_drop_limit->lowest;
	return finding;
}

} // namespace stalesock
