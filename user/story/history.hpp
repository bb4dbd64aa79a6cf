// SPDX-License-Identifier: Apache-2.0
// What happened to connections that have something to tell, kept for their stories.
#pragma once

#include "model/event.hpp"

#include <absl/container/flat_hash_map.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace stalesock {

/// What a story needs of an event, or of several like it in a row.
struct PastEvent {
	Nanoseconds time{}; ///< boot time
	Nanoseconds last{}; ///< boot time of the last one in the row
	std::uint32_t count = 1;
	int error = 0; ///< sk_err as a positive errno, or 0
	EventKind kind = EventKind::open;
	TcpState old_state = TcpState::unknown;
	std::uint8_t shutdown = 0;
	bool peek = false;
	bool fin_seen = false;    ///< the peer's FIN had been processed
	std::uint32_t unread = 0; ///< bytes, the peer's FIN not counted
	std::int32_t pid = 0;     ///< of the actor; 0: none
	std::array<char, 16> command{};

	[[nodiscard]] std::string_view actor() const;
};

/// The first late write, as the newest event tells it.
struct PastWrite {
	Nanoseconds time{};
	bool time_known = true;
	std::optional<Nanoseconds> fin_time;
	std::uint64_t bytes = 0;
	std::optional<Actor> writer;
};

struct ConnectionHistory {
	std::vector<PastEvent> events; ///< in the order of their arrival
	std::optional<PastWrite> write;
	std::uint64_t left_out = 0; ///< events between the older and the newer half of `events`
};

/// A connection enters with its first event after the open: an idle one costs nothing.
class History {
  public:
	/// Of one connection; beyond, the middle is left out and counted. One takes 64 B.
	static constexpr std::size_t most_events = 16;
	/// About 1.2 KiB each at most, so 20 MiB; beyond, the one that entered first is forgotten.
	static constexpr std::size_t most_connections = 16'384;

	explicit History(std::size_t limit = most_connections);

	void note(const Event& event);
	/// Null when nothing is known; good until the next note().
	[[nodiscard]] const ConnectionHistory* find(std::uint64_t cookie) const;
	[[nodiscard]] std::size_t size() const { return connections_.size(); }
	[[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  private:
	ConnectionHistory& insert(std::uint64_t cookie);

	std::size_t limit_;
	absl::flat_hash_map<std::uint64_t, ConnectionHistory> connections_;
	std::deque<std::uint64_t> order_; ///< of entry
	std::uint64_t evicted_ = 0;
};

} // namespace stalesock
