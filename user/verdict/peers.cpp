// SPDX-License-Identifier: Apache-2.0
#include "verdict/peers.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace stalesock {

namespace {

// 16,384 of them, the default limit, are 7 MiB.
static_assert(sizeof(Peer) <= 448);

/// Loopback or link-local: 127.0.0.0/8, ::1, 169.254.0.0/16, fe80::/10.
bool is_local(const Address& address) {
	constexpr std::size_t ipv4 = 12; // where an IPv4 address begins
	const auto& bytes = address.bytes;
	if (address.is_ipv4()) {
		return bytes[ipv4] == 127 || (bytes[ipv4] == 169 && bytes[ipv4 + 1] == 254);
	}
	const bool loopback =
		bytes.back() == 1 &&
		std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
	return loopback || (bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80);
}

/// Null for verdicts that are not about the end of a connection by its peer.
std::uint32_t* count_of(PeerCloses& closes, const Verdict& verdict) {
	switch (verdict.kind) {
	case VerdictKind::idle_close:
		return verdict.evidence.rst_received.value_or(false) ? &closes.idle_reset : &closes.idle;
	case VerdictKind::limit_close: return &closes.limit;
	case VerdictKind::reuse_race: return &closes.race;
	case VerdictKind::unanswered_close: return &closes.unanswered;
	case VerdictKind::early_response: return &closes.early_response;
	default: return nullptr;
	}
}

bool is_close(const Verdict& verdict) {
	PeerCloses none;
	return count_of(none, verdict) != nullptr;
}

void learn(Peer& peer, const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	if (verdict.confidence != Confidence::certain) {
		return;
	}
	if (verdict.kind == VerdictKind::idle_close && !evidence.rst_received.value_or(false) &&
	    evidence.bytes_sent.value_or(0) != 0 && evidence.idle) {
		if (peer.idle_times.add(*evidence.idle, verdict.time)) {
			peer.idle_timeout = peer.idle_times.agreement();
		}
	}
	if (verdict.kind == VerdictKind::limit_close && verdict.connection.age) {
		if (peer.lifetimes.add(*verdict.connection.age, verdict.time)) {
			peer.lifetime = peer.lifetimes.agreement();
		}
	}
}

} // namespace

PeerKey peer_key(const Endpoint& remote, std::uint32_t netns) {
	return {remote, is_local(remote.address) ? netns : 0};
}

Peers::Peers(std::size_t limit)
	: limit_(std::clamp<std::size_t>(limit, 1, std::numeric_limits<std::uint32_t>::max())) {}

void Peers::observe(const Verdict& verdict) {
	const ConnectionFacts& connection = verdict.connection;
	if (connection.role != Role::active || !is_close(verdict)) {
		return;
	}
	Peer& peer = peer_of(peer_key(connection.remote, connection.netns));
	++*count_of(peer.closes, verdict);
	peer.last_close = std::max(peer.last_close, verdict.time);
	learn(peer, verdict);
}

const Peer* Peers::find(const Endpoint& remote, std::uint32_t netns) const {
	const auto found = index_.find(peer_key(remote, netns));
	return found == index_.end() ? nullptr : &slots_[found->second];
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

PeerCounters Peers::counters() const {
	return {index_.size(), evicted_};
}

Peer& Peers::peer_of(const PeerKey& key) {
	const auto found = index_.find(key);
	if (found != index_.end()) {
		return slots_[found->second];
	}
	if (index_.size() >= limit_) {
		evict_one();
	}
	if (!free_) {
		free_ = static_cast<std::uint32_t>(slots_.size());
		slots_.emplace_back();
	}
	Peer& peer = slots_[*free_];
	index_.emplace(key, *free_);
	free_.reset();
	peer.key = key;
	return peer;
}

/// A full table has no free slot, so every slot of the sample holds a peer.
void Peers::evict_one() {
	constexpr std::size_t sample_size = 16;
	constexpr std::uint64_t stride = 2'654'435'761; // Knuth's multiplier: spreads over the table
	std::optional<std::uint32_t> worst;
	const auto rank = [](const Peer& peer) {
		return std::tuple(peer.idle_timeout || peer.lifetime, peer.last_close);
	};
	for (std::size_t i = 0; i < std::min(sample_size, slots_.size()); i++) {
		const auto slot = static_cast<std::uint32_t>((sample_++ * stride) % slots_.size());
		if (!worst || rank(slots_[slot]) < rank(slots_[*worst])) {
			worst = slot;
		}
	}
	index_.erase(slots_[*worst].key);
	slots_[*worst] = Peer{};
	free_ = worst;
	evicted_++;
}

} // namespace stalesock
