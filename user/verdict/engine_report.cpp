// SPDX-License-Identifier: Apache-2.0
// From a finding to a verdict, and what the engine judges with the peers' knowledge or of silence.
#include "verdict/advice.hpp"
#include "verdict/engine_state.hpp"
#include "verdict/finding.hpp"
#include "verdict/message.hpp"

#include <fmt/format.h>

namespace stalesock {

namespace {

ConnectionFacts facts_of(const Connection& connection, const Finding& finding) {
	ConnectionFacts facts;
	facts.cookie = connection.cookie;
	facts.ipv6 = !connection.remote_address.is_ipv4();
	facts.local = connection.local();
	facts.remote = connection.remote();
	facts.role = connection.role;
	facts.state = finding.evidence.bytes_after_fin ? TcpState::close_wait : connection.state;
	facts.netns = connection.netns;
	if (connection.opened_known) {
		facts.age = finding.time - connection.opened;
	}
	return facts;
}

Owner owner_from(const Actor& actor, OwnerSource source, std::uint64_t cgroup_id) {
	Owner owner;
	owner.source = source;
	owner.pid = actor.pid;
	owner.command = actor.command;
	owner.cgroup_id = cgroup_id;
	return owner;
}

Owner owner_of(const Connection& connection, VerdictKind kind, const Event* event) {
	if (kind == VerdictKind::dirty_close && event != nullptr && event->actor) {
		return owner_from(*event->actor, OwnerSource::close, event->cgroup_id);
	}
	if (connection.fin && connection.fin->late && connection.fin->late->writer) {
		const Actor& writer = *connection.fin->late->writer;
		return owner_from(writer, OwnerSource::write,
		                  writer.pid == connection.owner_pid ? connection.owner_cgroup : 0);
	}
	Owner owner;
	owner.source = connection.owner_source;
	if (connection.owner_pid != 0) {
		owner.pid = connection.owner_pid;
		owner.command = std::string(connection.owner_name());
		owner.cgroup_id = connection.owner_cgroup;
	}
	return owner;
}

std::string_view program_of(const Connection& connection, const Event& event) {
	return event.actor ? std::string_view(event.actor->command) : connection.owner_name();
}

} // namespace

/// Teaches first: see Engine::apply. Only what is usual of the peer is told as it was before an early close.
void Engine::State::report(Connection& connection, Finding finding, const Event* event,
                           const Handler& handler) {
	Verdict verdict;
	if (is_early_idle_close(finding, peers.find(connection.remote(), connection.netns))) {
		finding.kind = VerdictKind::early_idle_close;
	}
	verdict.kind = finding.kind;
	verdict.confidence = finding.confidence;
	verdict.inferred = finding.inferred;
	verdict.parting_words = finding.parting_words;
	verdict.time = finding.time;
	verdict.id = fmt::format("{:x}-{}", connection.cookie, ++connection.verdicts);
	verdict.connection = facts_of(connection, finding);
	verdict.owner = owner_of(connection, finding.kind, event);
	verdict.evidence = finding.evidence;
	if (verdict.kind == VerdictKind::silent_drop) {
		teach_silent_drop(connection, verdict);
	}
	const std::optional<PeerFacts> usual = peers.facts(verdict.connection);
	peers.observe(verdict);
	verdict.peer =
		verdict.kind == VerdictKind::early_idle_close ? usual : peers.facts(verdict.connection);
	verdict.other_end = pairs.other_end(connection, finding.time, tracker);
	verdict.message = message_for(verdict);
	verdict.advice = advice_for(verdict);
	handler(verdict);
}

/// The limit of the path is what the shortest of the drops says, this one included.
void Engine::State::teach_silent_drop(const Connection& connection, Verdict& verdict) {
	if (connection.role != Role::active || !verdict.evidence.gap) {
		return;
	}
	peers.note_silent_drop(connection.remote(), connection.netns, *verdict.evidence.gap,
	                       verdict.time);
	const Peer* peer = peers.find(connection.remote(), connection.netns);
	if (peer != nullptr && peer->silent_drop_limit) {
		verdict.evidence.dropped_after =
			std::min(*verdict.evidence.gap, peer->silent_drop_limit->lowest);
	}
}

void Engine::State::judge(Connection& connection, std::span<const Rule> rules, const Event* event,
                          const Handler& handler) {
	if (const auto finding = first_finding(rules, situation(connection, event))) {
		report(connection, *finding, event, handler);
	}
}

void Engine::State::mention(Connection& connection, const std::optional<Finding>& finding,
                            const Event& event, const Handler& handler) {
	const PeerKey key = peer_key(connection.remote(), connection.netns);
	if (finding &&
	    mentions.is_news(finding->kind, key, program_of(connection, event), event.time)) {
		report(connection, *finding, &event, handler);
	}
}

void Engine::State::on_scan(Connection& connection, const Event& event, const Handler& handler) {
	auto finding = first_finding(rules_at_scan(), situation(connection, &event));
	if (!finding) {
		return;
	}
	if (finding->kind == VerdictKind::close_wait_leak) {
		const Leaks::Group group = leaks.add(connection, event.time);
		finding->evidence.leaked = group.connections;
		if (group.connections > 1) {
			finding->evidence.leaking = event.time - group.first;
		}
	}
	connection.dirty_told |= finding->kind == VerdictKind::dirty_idle;
	report(connection, *finding, &event, handler);
}

void Engine::State::on_retransmission(Connection& connection, const Event& event,
                                      const Handler& handler) {
	const auto finding = first_finding(rules_at_retransmission(), situation(connection, &event));
	if (finding) {
		connection.silent_drop_told = true;
		report(connection, *finding, &event, handler);
	}
}

void Engine::State::on_reuse(Connection& connection, const Event& event, const Handler& handler) {
	if (connection.role != Role::active || !event.view || event.farewell) {
		return;
	}
	const Nanoseconds gap = event.view->send_age_ticks * options.tick;
	peers.note_reuse(connection.remote(), connection.netns, gap, program_of(connection, event),
	                 event.time);
	const Peer* peer = peers.find(connection.remote(), connection.netns);
	mention(connection, pool_mismatch(situation(connection, &event), *peer), event, handler);
}

/// A middlebox forgets whichever side is silent; all else that a reset says is about who opened.
void Engine::State::on_reset(Connection& connection, const Event& event, const Handler& handler) {
	if (connection.silent_drop_told && event.view && unacked_bytes(*event.view) != 0) {
		return; // of the same write: it vanished, and when sent again it was reset
	}
	if (connection.role == Role::active) {
		judge(connection, rules_at_reset(), &event, handler);
	} else if (const auto drop = silent_drop_by_reset(situation(connection, &event))) {
		report(connection, *drop, &event, handler);
	}
}

void Engine::State::consider_keepalive(Connection& connection, const Event& event,
                                       const Handler& handler) {
	if (!event.keepalive || !event.view || connection.role != Role::active) {
		return;
	}
	const Peer* peer = peers.find(connection.remote(), connection.netns);
	if (peer != nullptr) {
		mention(connection, keepalive_late(situation(connection, &event), *peer), event, handler);
	}
}

} // namespace stalesock
