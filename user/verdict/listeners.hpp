// SPDX-License-Identifier: Apache-2.0
// What has been learned of the servers on this host: how long they keep idle clients, and how long clients stay.
#pragma once

#include "track/connection.hpp"
#include "verdict/peer.hpp"

#include <optional>
#include <vector>

namespace stalesock {

/// An idle connection of a passive opener was ended in good order.
struct IdleEnd {
	Nanoseconds idle{}; ///< since our last answer
	bool by_client = false;
};

/// Whether the event is the first FIN on a connection that a client had opened and used, idle for 100 ms or longer, with
/// everything answered, acknowledged and read. A TLS server's close_notify comes with its FIN and makes
/// the connection look busy: such closes by us are not seen.
[[nodiscard]] std::optional<IdleEnd> idle_end(const Connection& connection, const Event& event,
                                              Nanoseconds tick);

/// A bounded table of local endpoints. Pure; times are boot time.
class Listeners {
  public:
	static constexpr std::size_t limit = 1024;

	/// Learns from an idle end; all other events are ignored.
	void observe(const Connection& connection, const Event& event, Nanoseconds tick);

	/// A client wrote to this endpoint after `gap` (> 0) of silence on a connection.
	void note_reuse(const Endpoint& local, std::uint32_t netns, Nanoseconds gap, Nanoseconds now);

	[[nodiscard]] const Listener* find(const Endpoint& local, std::uint32_t netns) const;
	void merge(const Listener& other);
	void age_all(Nanoseconds now);
	[[nodiscard]] std::vector<const Listener*> sorted() const { return table_.sorted(); }
	[[nodiscard]] PeerCounters counters() const { return table_.counters(); }

  private:
	Listener& seen(const Endpoint& local, std::uint32_t netns, Nanoseconds now);

	LearnedTable<Listener> table_{limit};
};

} // namespace stalesock
