// SPDX-License-Identifier: Apache-2.0
// From a finding to a verdict, and what the engine judges with the peers' knowledge or of silence.
#include "verdict/advice.hpp"
#include "verdict/engine_state.hpp"
#include "verdict/finding.hpp"
#include "verdict/message.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

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

constexpr Nanoseconds fresh_holder = std::chrono::seconds(5);

/// Who holds the descriptor, not who connected: it may have been handed on, or inherited. What was found long ago is not
/// told as if it were so now.
std::optional<Owner> holder_of(const Connection& connection, Nanoseconds now) {
	const FinFacts& fin = *connection.fin;
	if (!fin.holder || now - fin.holder_seen > fresh_holder) {
		return std::nullopt;
	}
	return owner_from(*fin.holder, OwnerSource::scan, 0);
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

/// After how long a silence the path had forgotten the connection, at the latest; nothing where the peer may be the one
/// that has gone. Who died between two probes may have been a host: the first probe has to be the one without an answer.
std::optional<Nanoseconds> silence_of_drop(const Connection& connection, const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	if (verdict.kind == VerdictKind::silent_drop) {
		return evidence.gap;
	}
	const bool by_probe = verdict.kind == VerdictKind::peer_unresponsive &&
	                      evidence.timeout == "keepalive" && connection.keepalive_probes != 0 &&
	                      !connection.probe_answered;
	return by_probe ? evidence.keepalive_idle : std::nullopt;
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
	verdict.counts_when_agreed = finding.counts_when_agreed;
	verdict.time = finding.time;
	verdict.id = fmt::format("{:x}-{}", connection.cookie, ++connection.verdicts);
	verdict.connection = facts_of(connection, finding);
	verdict.owner = finding.kind == VerdictKind::close_wait_leak
	                    ? owner_of_leak(connection, finding.time)
	                    : owner_of(connection, finding.kind, event);
	verdict.evidence = finding.evidence;
	teach_silent_drop(connection, verdict);
	const std::optional<PeerFacts> usual = peers.facts(verdict.connection);
	peers.observe(verdict);
	verdict.peer =
		verdict.kind == VerdictKind::early_idle_close ? usual : peers.facts(verdict.connection);
	verdict.other_end = pairs.other_end(connection, finding.time, tracker);
	verdict.message = message_for(verdict);
	verdict.advice = advice_for(verdict);
	if (verdict.kind == VerdictKind::dirty_close && connection.role == Role::passive) {
		constexpr Nanoseconds client_is_told = std::chrono::milliseconds(250);
		if (held.size() >= most_held) {
			tell_held(held.front().due, handler);
		}
		held.push_back({verdict.time + client_is_told, std::move(verdict)});
		return;
	}
	handler(verdict);
}

void Engine::State::tell_held(Nanoseconds now, const Handler& handler) {
	while (!held.empty() && held.front().due <= now) {
		const Verdict verdict = std::move(held.front().verdict);
		held.pop_front();
		handler(verdict);
	}
}

/// The client of this server's socket was told of the RST: what that means for it is said there.
void Engine::State::drop_held(std::uint64_t cookie) {
	std::erase_if(held,
	              [cookie](const Held& one) { return one.verdict.connection.cookie == cookie; });
}

/// The limit of the path is what the shortest of the drops says, this one included. A host that has gone leaves probes
/// unanswered too: they teach only if the peer answered somebody since the drop before.
void Engine::State::teach_silent_drop(const Connection& connection, Verdict& verdict) {
	const auto silence = silence_of_drop(connection, verdict);
	if (connection.role != Role::active || !silence || !verdict.evidence.receive_age) {
		return;
	}
	const bool by_write = verdict.kind == VerdictKind::silent_drop;
	const Nanoseconds last_received = verdict.time - *verdict.evidence.receive_age;
	const Peer* peer = peers.find(connection.remote(), connection.netns);
	if (!by_write && peer != nullptr && last_received <= peer->last_drop) {
		return;
	}
	peers.note_silent_drop(connection.remote(), connection.netns, *silence, verdict.time,
	                       last_received);
	peer = peers.find(connection.remote(), connection.netns);
	if (by_write && peer != nullptr && peer->silent_drop_limit) {
		verdict.evidence.dropped_after = std::min(*silence, peer->silent_drop_limit->lowest);
	}
}

Situation Engine::State::situation_at_end(const Connection& connection, const Event& event) {
	Situation situation = this->situation(connection, &event);
	situation.other = pairs.seen_of(connection, event, tracker);
	if (const Peer* const peer = peers.find(connection.remote(), connection.netns);
	    peer != nullptr && peer->idle_timeout) {
		situation.usual_idle = peer->idle_timeout->lowest;
	}
	return situation;
}

Owner Engine::State::owner_of_leak(const Connection& connection, Nanoseconds now) const {
	if (auto holder = holder_of(connection, now)) {
		return std::move(*holder);
	}
	const Actor* const listener = connection.fin->unaccepted
	                                  ? listener_holders.find(connection.local(), connection.netns)
	                                  : nullptr;
	if (listener != nullptr) {
		return owner_from(*listener, OwnerSource::scan, 0);
	}
	// Whoever connected may have passed it on, or ended: a look over all descriptors would have met who holds it now.
	return holders_seen && now - *holders_seen <= fresh_holder
	           ? Owner{}
	           : owner_of(connection, VerdictKind::close_wait_leak, nullptr);
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
		constexpr Nanoseconds scan_ends = std::chrono::milliseconds(300);
		if (found_leaks.empty()) {
			leaks_due = event.time + scan_ends;
			holders_wanted = true;
		}
		found_leaks.push_back({connection.cookie, std::move(*finding)});
		return;
	}
	connection.dirty_told |= finding->kind == VerdictKind::dirty_idle;
	report(connection, *finding, &event, handler);
}

/// One line for each process and peer: the first of the connections stands for all. One that has gone meanwhile leaks no
/// more.
void Engine::State::tell_leaks(const Handler& handler) {
	std::vector<const Connection*> told;
	std::vector<FoundLeak> found = std::exchange(found_leaks, {});
	std::erase_if(found, [this](const FoundLeak& leak) {
		Connection* const connection = tracker.find(leak.cookie);
		if (connection == nullptr || !connection->fin || connection->fin->leak_told) {
			return true;
		}
		leaks.add(*connection, leak.finding.time);
		return false;
	});
	for (FoundLeak& leak : found) {
		Connection* const connection = tracker.find(leak.cookie);
		if (std::any_of(told.begin(), told.end(), [&](const Connection* other) {
				return Leaks::belong_together(*other, *connection);
			})) {
			continue;
		}
		const Leaks::Group group = leaks.group_of(*connection);
		leak.finding.evidence.leaked = group.connections;
		if (group.connections > 1) {
			leak.finding.evidence.leaking = leak.finding.time - group.first;
		}
		if (connection->sight == Sight::socket) {
			leak.finding.evidence.accepted = !connection->fin->unaccepted;
		}
		report(*connection, std::move(leak.finding), nullptr, handler);
		told.push_back(connection);
	}
}

void Engine::State::on_retransmission(Connection& connection, const Event& event,
                                      const Handler& handler) {
	const auto finding = first_finding(rules_at_retransmission(), situation(connection, &event));
	if (finding) {
		connection.silent_drop_told = true;
		report(connection, *finding, &event, handler);
	}
}

/// What came after the write tells. What comes with the FIN may be the peer's last words, which crossed the write.
void Engine::State::note_survival(const Connection& connection, const Event& event) {
	const auto found = survivals.empty() ? survivals.end() : survivals.find(connection.cookie);
	if (found == survivals.end() || !event.view) {
		return;
	}
	const Nanoseconds received = event.view->receive_age_ticks * options.tick;
	const bool settled = event.kind != EventKind::peer_fin || received >= idle_threshold;
	if (settled && event.error == 0 && event.view->bytes_received != found->second.received) {
		peers.note_survival(connection.remote(), connection.netns, found->second.gap, event.time);
	}
	survivals.erase(found);
}

void Engine::State::on_reuse(Connection& connection, const Event& event, const Handler& handler) {
	if (connection.role != Role::active || !event.view || event.farewell) {
		return;
	}
	const Nanoseconds gap = event.view->send_age_ticks * options.tick;
	if (const Peer* const believed = peers.find(connection.remote(), connection.netns);
	    believed != nullptr && is_beyond(gap, believed->idle_timeout)) {
		survivals.insert_or_assign(connection.cookie, Survival{gap, event.view->bytes_received});
	}
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
	auto finding = silent_drop_by_reset(situation(connection, &event));
	if (!finding && connection.role == Role::active) {
		finding = judge_end(situation_at_end(connection, event));
	}
	if (!finding) {
		return;
	}
	report(connection, *finding, &event, handler);
	keep_reset(connection, *finding, event);
}

/// A write that follows on a request which the RST refused belongs to that.
void Engine::State::keep_reset(const Connection& connection, const Finding& finding,
                               const Event& event) {
	const bool nothing_asked =
		finding.kind == VerdictKind::idle_close || finding.kind == VerdictKind::limit_close;
	if (!nothing_asked || connection.role != Role::active) {
		return;
	}
	ResetConnection reset;
	reset.connection = facts_of(connection, finding);
	reset.owner = owner_of(connection, finding.kind, &event);
	reset.evidence = finding.evidence;
	reset.time = event.time;
	if (event.view && finding.evidence.unread_bytes.value_or(0) != 0) {
		reset.unread_from = event.view->copied_seq;
	}
	reset.confidence = finding.confidence;
	reset.inferred = finding.inferred;
	reset.verdicts = connection.verdicts;
	resets.add(std::move(reset));
}

void Engine::State::on_refused_write(const Event& event, const Handler& handler) {
	auto reset = resets.take(event.cookie);
	if (!reset || (reset->unread_from && reset->unread_from == event.copied_seq)) {
		return; // whoever has not read the answer yet is still sending its request
	}
	Verdict verdict;
	verdict.kind = VerdictKind::stale_reuse;
	verdict.confidence = std::min(reset->confidence, Confidence::likely);
	verdict.inferred = std::move(reset->inferred);
	verdict.inferred += verdict.inferred.empty() ? "" : "; ";
	verdict.inferred += "that what was written was a request";
	verdict.time = event.time;
	verdict.id = fmt::format("{:x}-{}", event.cookie, ++reset->verdicts);
	spent_ids.note(event.cookie, reset->verdicts);
	verdict.connection = reset->connection;
	verdict.connection.state = TcpState::close;
	verdict.owner =
		event.actor ? owner_from(*event.actor, OwnerSource::write, event.cgroup_id) : reset->owner;
	verdict.evidence = reset->evidence;
	verdict.evidence.rst_to_write = event.time - reset->time;
	peers.observe(verdict);
	verdict.peer = peers.facts(verdict.connection);
	verdict.message = message_for(verdict);
	verdict.advice = advice_for(verdict);
	handler(verdict);
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
