// SPDX-License-Identifier: Apache-2.0
// Applies events to connections: a bounded table keyed by socket cookie.
#pragma once

#include "model/event.hpp"
#include "track/connection.hpp"

#include <absl/container/flat_hash_map.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace stalesock {

struct TrackerCounters {
	std::uint64_t opened = 0;
	std::uint64_t evicted = 0;
	std::uint64_t unowned = 0; ///< in the table now, and nobody is known to hold them
	/// FINs, late writes and ends of watched connections that no event told of. Later events show them.
	std::uint64_t inferred = 0;
};

/// What an event tells of bytes that were written after the peer's FIN.
void update_fate(FinFacts& fin, const Event& event);

class Tracker {
  public:
	/// Connections kept at once; at least 1. A new one beyond that evicts the least useful of a small
	/// sample: without a FIN before with one, then the one nothing was heard of for longest.
	/// `forgotten`, if any, is told of every connection that leaves the table.
	explicit Tracker(std::size_t limit, std::function<void(const Connection&)> forgotten = {});

	/// Updates the connection of the event and returns it, or null when the event is about a
	/// connection that need not be known (an owner or a probe of an unknown one, the end of one).
	/// The pointer is good until the next call.
	Connection* apply(const Event& event, Nanoseconds tick);

	[[nodiscard]] Connection* find(std::uint64_t cookie);
	void forget(std::uint64_t cookie);

	[[nodiscard]] std::size_t size() const { return index_.size(); }
	[[nodiscard]] TrackerCounters counters() const { return counters_; }

  private:
	/// Counts a FIN that was not told, once.
	[[nodiscard]] bool notice_missed_fin(Connection& connection, const Event& event);
	[[nodiscard]] bool has_ended(std::uint64_t cookie) const;
	Connection& insert(const Event& event);
	void evict_one();
	std::size_t free_slot();

	std::size_t limit_;
	std::function<void(const Connection&)> forgotten_;
	std::deque<Connection> slots_;
	std::vector<std::uint32_t> free_;
	absl::flat_hash_map<std::uint64_t, std::uint32_t> index_;
	TrackerCounters counters_;
	/// The last connections with a late write that ended: what another CPU says of one may come after its end.
	std::array<std::uint64_t, 64> ended_{};
	std::size_t next_ended_ = 0;
	std::uint64_t sample_ = 0; ///< position of the next eviction sample; deterministic
};

} // namespace stalesock
