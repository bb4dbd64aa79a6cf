// SPDX-License-Identifier: Apache-2.0
#include "verdict/peer.hpp"

#include <algorithm>
#include <limits>

namespace stalesock {

namespace {

// 16,384 of them, the default limit, are 7 MiB; with every list full 16 MiB more.
static_assert(sizeof(Peer) <= 448);
static_assert(4 * RecentValues::capacity * sizeof(Seen) == 1024);

/// A pool whose setting was changed is not reproached with what it did before for longer.
constexpr Nanoseconds reuse_memory = std::chrono::hours(7 * 24);

void forget_old(std::optional<LongestReuse>& longest, Nanoseconds now) {
	if (longest && now - longest->seen > reuse_memory) {
		longest.reset();
	}
}

void merge(Observations& into, const Observations& other) {
	into.values().merge(other.values().entries());
}

} // namespace

CommandName::CommandName(std::string_view text) {
	std::copy_n(text.begin(), std::min(text.size(), bytes_.size()), bytes_.begin());
}

std::string_view CommandName::text() const {
	const auto* const end = std::find(bytes_.begin(), bytes_.end(), '\0');
	return {bytes_.data(), static_cast<std::size_t>(end - bytes_.begin())};
}

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

PeerKey peer_key(const Endpoint& endpoint, std::uint32_t netns) {
	return {endpoint, is_local(endpoint.address) ? netns : 0};
}

void relearn(Peer& peer) {
	peer.idle_timeout = peer.idle_times.agreement();
	peer.silent_drop_limit = peer.silent_drops.upper_bound();
	peer.request_limit = agreement_of(peer.request_counts.entries(), Scale::count);
	// What explains every close leaves nothing to be explained by the age.
	const bool all_explained =
		peer.request_limit && peer.request_limit->agreeing == peer.request_counts.size();
	peer.lifetime = all_explained ? std::nullopt : peer.lifetimes.agreement();
}

void relearn(Listener& listener) {
	listener.idle_timeout = listener.idle_times.agreement();
	listener.client_timeout = listener.client_idle_times.agreement();
}

void age(Peer& peer, Nanoseconds now) {
	peer.learned_at = now;
	for (RecentValues* const values : {&peer.idle_times.values(), &peer.lifetimes.values(),
	                                   &peer.silent_drops.values(), &peer.request_counts}) {
		values->forget_old(now);
	}
	forget_old(peer.longest_reuse, now);
	relearn(peer);
}

void age(Listener& listener, Nanoseconds now) {
	listener.learned_at = now;
	listener.idle_times.values().forget_old(now);
	listener.client_idle_times.values().forget_old(now);
	forget_old(listener.longest_reuse, now);
	relearn(listener);
}

bool is_beyond(Nanoseconds gap, const std::optional<Agreement>& timeout) {
	return timeout && gap > timeout->highest + agreement_width(timeout->highest);
}

bool is_near_miss(Nanoseconds gap, Nanoseconds timeout) {
	return gap >= timeout * 4 / 5;
}

void keep_longest(std::optional<LongestReuse>& longest, const LongestReuse& reuse) {
	if (!longest || reuse.gap > longest->gap) {
		longest = reuse;
	}
}

void merge(Peer& peer, const Peer& other) {
	peer.last_seen = std::max(peer.last_seen, other.last_seen);
	for (std::size_t kind = 0; kind < peer.verdicts.size(); kind++) {
		add_to(peer.verdicts.at(kind), other.verdicts.at(kind));
	}
	add_to(peer.idle_resets, other.idle_resets);
	add_to(peer.near_misses, other.near_misses);
	merge(peer.idle_times, other.idle_times);
	merge(peer.lifetimes, other.lifetimes);
	merge(peer.silent_drops, other.silent_drops);
	peer.request_counts.merge(other.request_counts.entries());
	if (other.longest_reuse) {
		keep_longest(peer.longest_reuse, *other.longest_reuse);
	}
	relearn(peer);
}

void merge(Listener& listener, const Listener& other) {
	if (listener.command.text().empty() || other.last_seen > listener.last_seen) {
		listener.command = other.command;
	}
	listener.last_seen = std::max(listener.last_seen, other.last_seen);
	add_to(listener.idle_closes, other.idle_closes);
	add_to(listener.client_idle_closes, other.client_idle_closes);
	add_to(listener.near_misses, other.near_misses);
	merge(listener.idle_times, other.idle_times);
	merge(listener.client_idle_times, other.client_idle_times);
	if (other.longest_reuse) {
		keep_longest(listener.longest_reuse, *other.longest_reuse);
	}
	relearn(listener);
}

void add_to(std::uint32_t& counter, std::uint32_t count) {
	counter += std::min(count, std::numeric_limits<std::uint32_t>::max() - counter);
}

} // namespace stalesock
