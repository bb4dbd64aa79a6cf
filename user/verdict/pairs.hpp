// SPDX-License-Identifier: Apache-2.0
// Connections whose two ends are both on this host: which socket is the other end, whose it is, and when its
// application ended it.
#pragma once

#include "track/tracker.hpp"
#include "verdict/rules.hpp"
#include "verdict/verdict.hpp"

#include <absl/container/flat_hash_map.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace stalesock {

/// What one end leaves behind: it is forgotten when it closes, while the other may live on for long.
struct PairedEnd {
	std::uint64_t cookie = 0;
	std::uint64_t owner_cgroup = 0;
	std::int32_t owner_pid = 0;
	std::array<char, 16> owner_command{};
	OwnerSource owner_source = OwnerSource::unknown;
	/// When it closed: payload that its application had read.
	std::optional<std::uint64_t> bytes_read;
	std::optional<Nanoseconds> finished; ///< boot time at which its application ended its sending
	std::optional<Nanoseconds> closed;   ///< boot time at which its application closed it
};

/// Two ends belong together when each names the other's addresses and ports; on loopback and link-local addresses
/// they must also be in one network namespace. Behind a NAT on the host nothing is paired. Takes about 20 B for
/// each connection that was accepted, and 0.6 MB for the ends that closed last.
class Pairs {
  public:
	/// Ends that have just closed: the other end's FIN event is still to come, a path's delay later.
	static constexpr std::size_t most_closing = 4096;

	/// After each event, with the connection as it is then.
	void observe(const Connection& connection, const Event& event, Tracker& tracker);
	/// When a connection leaves the table.
	void forget(const Connection& connection);

	/// Of this connection; nothing when the other end is not on this host, or not known. Ages are those at `time`;
	/// what happened after it is left out.
	[[nodiscard]] std::optional<OtherEnd> other_end(const Connection& connection, Nanoseconds time,
	                                                Tracker& tracker) const;

	/// What it tells when this end sees the connection end, which the event shows; nothing when it is not on this host.
	[[nodiscard]] std::optional<OtherEndSeen> seen_of(const Connection& connection,
	                                                  const Event& event, Tracker& tracker) const;

  private:
	/// A hash of the two endpoints: what is found by it is compared.
	using Key = std::uint64_t;
	struct Closing {
		Endpoint local;
		Endpoint remote;
		std::uint32_t netns = 0;
		PairedEnd end;
	};

	[[nodiscard]] Connection* living(const Connection& connection, Tracker& tracker) const;
	void index(const Connection& connection);
	void note_close(const Connection& connection, const Event& event, Tracker& tracker);
	void note_peer_fin(const Connection& connection);

	absl::flat_hash_map<Key, std::uint64_t> living_; ///< to cookies
	absl::flat_hash_map<Key, Closing> closing_;
	std::deque<Key> order_;                                ///< of closing_, the oldest first
	absl::flat_hash_map<std::uint64_t, PairedEnd> others_; ///< by the cookie of who lives on
};

} // namespace stalesock
