// SPDX-License-Identifier: Apache-2.0
#include "verdict/peers.hpp"

#include "verdict/rules.hpp"

#include <algorithm>
#include <limits>

namespace stalesock {

namespace {

/// A path that is down for a while forgets nothing: of all that goes unanswered then one counts, unless the peer answered
/// in between.
constexpr Burst outage{1, std::chrono::minutes(1)};

/// What is observed often is looked at anew with every observation; the rest, this often.
constexpr Nanoseconds aged_every = std::chrono::hours(1);

void learn_from_idle_close(Peer& peer, const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	if (evidence.bytes_sent.value_or(0) == 0 || !evidence.idle) {
		return;
	}
	if (peer.idle_times.add(*evidence.idle, verdict.time)) {
		peer.idle_timeout = peer.idle_times.agreement();
	}
}

/// A server that closes after each answer has no limit of age: how long the first answer took says nothing.
bool had_been_used_before(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	const auto send_age = evidence.send_age ? evidence.send_age : evidence.idle;
	return *verdict.connection.age - send_age.value_or(Nanoseconds::zero()) >= idle_threshold;
}

void learn_from_limit_close(Peer& peer, const Verdict& verdict) {
	if (verdict.connection.age && had_been_used_before(verdict) &&
	    peer.lifetimes.add(*verdict.connection.age, verdict.time)) {
		relearn(peer);
	}
	if (const auto turns = verdict.evidence.turns) {
		const auto count = static_cast<std::uint32_t>(
			std::min<std::uint64_t>(*turns, std::numeric_limits<std::uint32_t>::max()));
		if (peer.request_counts.add(count, verdict.time, Burst{})) {
			relearn(peer);
		}
	}
}

/// That each of several slow answers is as short as parting words and took equally long is less likely than a timeout:
/// what a few closes say by chance does not agree.
bool teaches(const Verdict& verdict) {
	return verdict.confidence == Confidence::certain || verdict.counts_when_agreed;
}

void learn(Peer& peer, const Verdict& verdict) {
	if (!teaches(verdict)) {
		return;
	}
	if (verdict.kind == VerdictKind::idle_close || verdict.kind == VerdictKind::early_idle_close) {
		learn_from_idle_close(peer, verdict);
	}
	if (verdict.kind == VerdictKind::limit_close) {
		learn_from_limit_close(peer, verdict);
	}
}

} // namespace

Peers::Peers(std::size_t limit) : table_(limit) {}

Peer& Peers::seen(const Endpoint& remote, std::uint32_t netns, Nanoseconds now) {
	Peer& peer = table_.entry_of(peer_key(remote, netns));
	peer.last_seen = std::max(peer.last_seen, now);
	if (now - peer.learned_at >= aged_every) {
		age(peer, now);
	}
	return peer;
}

void Peers::observe(const Verdict& verdict) {
	const ConnectionFacts& connection = verdict.connection;
	if (connection.role != Role::active) {
		return;
	}
	Peer& peer = seen(connection.remote, connection.netns, verdict.time);
	add_to(peer.verdicts.at(static_cast<std::size_t>(verdict.kind)));
	const bool idle =
		verdict.kind == VerdictKind::idle_close || verdict.kind == VerdictKind::early_idle_close;
	if (idle && verdict.evidence.rst_received.value_or(false)) {
		add_to(peer.idle_resets);
	}
	learn(peer, verdict);
}

void Peers::note_reuse(const Endpoint& remote, std::uint32_t netns, Nanoseconds gap,
                       std::string_view command, Nanoseconds now) {
	Peer& peer = seen(remote, netns, now);
	if (peer.idle_timeout && is_near_miss(gap, peer.idle_timeout->lowest)) {
		add_to(peer.near_misses);
	}
	keep_longest(peer.longest_reuse, {gap, now, CommandName{command}});
}

void Peers::note_survival(const Endpoint& remote, std::uint32_t netns, Nanoseconds gap,
                          Nanoseconds now) {
	Peer& peer = seen(remote, netns, now);
	if (is_beyond(gap, peer.idle_timeout)) {
		peer.idle_times = {};
		peer.idle_timeout.reset();
	}
}

void Peers::note_silent_drop(const Endpoint& remote, std::uint32_t netns, Nanoseconds idle,
                             Nanoseconds now, Nanoseconds last_received) {
	Peer& peer = seen(remote, netns, now);
	const bool path_was_up = last_received > peer.last_drop;
	peer.last_drop = std::max(peer.last_drop, now);
	if (peer.silent_drops.add(idle, now, path_was_up ? Burst{} : outage)) {
		peer.silent_drop_limit = peer.silent_drops.upper_bound();
	}
}

const Peer* Peers::find(const Endpoint& remote, std::uint32_t netns) const {
	return table_.find(peer_key(remote, netns));
}

std::optional<PeerFacts> Peers::facts(const ConnectionFacts& connection) const {
	if (connection.role != Role::active) {
		return std::nullopt;
	}
	const Peer* const peer = find(connection.remote, connection.netns);
	if (peer == nullptr || !peer->idle_timeout) {
		return std::nullopt;
	}
	const Agreement& learned = *peer->idle_timeout;
	return PeerFacts{learned.lowest, learned.highest - learned.lowest, learned.agreeing,
	                 learned.remembered};
}

void Peers::merge(const Peer& other) {
	stalesock::merge(table_.entry_of(other.key), other);
}

void Peers::age_all(Nanoseconds now) {
	table_.for_each([&](Peer& peer) { age(peer, now); });
}

} // namespace stalesock
