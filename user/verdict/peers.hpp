// SPDX-License-Identifier: Apache-2.0
// What has been learned of the servers that this host connects to: a bounded table of remote endpoints.
#pragma once

#include "verdict/observations.hpp"
#include "verdict/verdict.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace stalesock {

/// A remote endpoint. The network namespace tells loopback and link-local addresses apart, which mean
/// another host (or container) in each; it is 0 for all others, which are learned once for the whole host.
struct PeerKey {
	Endpoint remote;
	std::uint32_t netns = 0;

	friend bool operator==(const PeerKey&, const PeerKey&) = default;

	template <typename H> friend H AbslHashValue(H state, const PeerKey& key) {
		return H::combine(std::move(state), key.remote.address.bytes, key.remote.port, key.netns);
	}
};

[[nodiscard]] PeerKey peer_key(const Endpoint& remote, std::uint32_t netns);

/// How a peer ended our connections: all that were seen, whether they taught a time or not.
struct PeerCloses {
	std::uint32_t idle = 0;       ///< by FIN
	std::uint32_t idle_reset = 0; ///< by RST
	std::uint32_t limit = 0;
	std::uint32_t race = 0;
	std::uint32_t unanswered = 0;
	std::uint32_t early_response = 0;
};

struct Peer {
	PeerKey key;
	Nanoseconds last_close{};
	PeerCloses closes;
	Observations idle_times;
	Observations lifetimes;
	std::optional<Agreement> idle_timeout; ///< what idle_times agree on
	std::optional<Agreement> lifetime;     ///< what lifetimes agree on
};

struct PeerCounters {
	std::uint64_t known = 0;   ///< remote endpoints in the table now
	std::uint64_t evicted = 0; ///< dropped because the table was full
};

/// Pure. How fast a timeout is learned and unlearned: see Observations.
class Peers {
  public:
	/// Remote endpoints kept at once; at least 1. A new one beyond that evicts the least useful of a
	/// small sample: one that has taught nothing before one that has, then the one that closed longest ago.
	explicit Peers(std::size_t limit);

	/// Counts a verdict on the end of a connection that we opened; all others are ignored.
	///
	/// An idle timeout is taught by an idle_close that is certain and by FIN, on a connection that had been
	/// used: before the first request other timers run. A lifetime is taught by a limit_close that is certain
	/// and of a connection whose age is known.
	void observe(const Verdict& verdict);

	/// Null for an endpoint that is not known. Good until the next observation.
	[[nodiscard]] const Peer* find(const Endpoint& remote, std::uint32_t netns) const;

	/// What a verdict on this connection tells about its peer; nothing unless we opened it and the peer's idle
	/// timeout is learned.
	[[nodiscard]] std::optional<PeerFacts> facts(const ConnectionFacts& connection) const;

	[[nodiscard]] PeerCounters counters() const;

  private:
	Peer& peer_of(const PeerKey& key);
	void evict_one();

	std::size_t limit_;
	std::deque<Peer> slots_; ///< grows up to the limit; an evicted one's slot is taken at once
	absl::flat_hash_map<PeerKey, std::uint32_t> index_;
	std::uint64_t evicted_ = 0;
	std::uint64_t sample_ = 0; ///< position of the next eviction sample; deterministic
	std::optional<std::uint32_t> free_;
};

} // namespace stalesock
