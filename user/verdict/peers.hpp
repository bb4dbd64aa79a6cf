// SPDX-License-Identifier: Apache-2.0
// What has been learned of the servers that this host connects to: a bounded table of remote endpoints.
#pragma once

#include "verdict/peer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stalesock {

/// Pure; `now` and all other times are boot time. How fast a timeout is learned and unlearned: see Observations.
class Peers {
  public:
	/// Remote endpoints kept at once; at least 1. Which one goes: see LearnedTable.
	explicit Peers(std::size_t limit);

	/// Counts a verdict on a connection that we opened; all others are ignored.
	///
	/// An idle timeout is taught by an idle_close that is certain and by FIN, on a connection that had been
	/// used: before the first request other timers run. A lifetime is taught by a limit_close that is certain
	/// and of a connection whose age is known and that had been used before its last request; one that is
	/// certain teaches a request limit where turns are counted.
	void observe(const Verdict& verdict);

	/// A local process wrote to this endpoint after `gap` (> 0) of silence on a connection. `command` is raw, at
	/// most 16 characters of it are kept; empty when not known.
	void note_reuse(const Endpoint& remote, std::uint32_t netns, Nanoseconds gap,
	                std::string_view command, Nanoseconds now);

	/// What was written after `gap` of silence was answered: that server does not close connections that are idle for less.
	/// If that is longer than all that it was believed to, nothing of it is believed any more.
	void note_survival(const Endpoint& remote, std::uint32_t netns, Nanoseconds gap,
	                   Nanoseconds now);

	/// A write after `idle` of silence found the path without memory of the connection: no answer at all, or an
	/// RST without a FIN before. Or a keepalive probe found that. The verdict on it is counted by observe(). Of all within
	/// a minute the first one teaches, and those of connections that received something after the one before.
	void note_silent_drop(const Endpoint& remote, std::uint32_t netns, Nanoseconds idle,
	                      Nanoseconds now, Nanoseconds last_received);

	/// Null for an endpoint that is not known. Good until the next observation.
	[[nodiscard]] const Peer* find(const Endpoint& remote, std::uint32_t netns) const;

	/// What a verdict on this connection tells about its peer; nothing unless we opened it and the peer's idle
	/// timeout is learned.
	[[nodiscard]] std::optional<PeerFacts> facts(const ConnectionFacts& connection) const;

	/// Takes in what was learned elsewhere, or before; nothing of it is counted as seen now.
	void merge(const Peer& other);

	/// Forgets what is too old. Endpoints that are observed are aged then; this is for showing and saving all.
	void age_all(Nanoseconds now);

	/// By address, port and network namespace. Good until the next observation.
	[[nodiscard]] std::vector<const Peer*> sorted() const { return table_.sorted(); }

	[[nodiscard]] PeerCounters counters() const { return table_.counters(); }

  private:
	Peer& seen(const Endpoint& remote, std::uint32_t netns, Nanoseconds now);

	LearnedTable<Peer> table_;
};

} // namespace stalesock
