// SPDX-License-Identifier: Apache-2.0
// What need not be said again of every connection.
#pragma once

#include "verdict/peer.hpp"
#include "verdict/verdict.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <string_view>
#include <utility>

namespace stalesock {

/// Remembers which verdict was given of which program and remote endpoint within the last hour. At most 4,096
/// entries; when full, the oldest one goes.
class Mentions {
  public:
	static constexpr std::size_t capacity = 4096;
	static constexpr Nanoseconds interval = std::chrono::hours(1);

	/// True, and remembered, unless it was said less than an hour before. `now` is boot time.
	bool is_news(VerdictKind kind, const PeerKey& peer, std::string_view command, Nanoseconds now);

  private:
	struct Key {
		VerdictKind kind{};
		PeerKey peer;
		CommandName command;

		friend bool operator==(const Key& a, const Key& b) {
			return a.kind == b.kind && a.peer == b.peer && a.command.text() == b.command.text();
		}

		template <typename H> friend H AbslHashValue(H state, const Key& key) {
			return H::combine(std::move(state), key.kind, key.peer, key.command.text());
		}
	};

	void make_room();

	absl::flat_hash_map<Key, Nanoseconds> said_;
};

} // namespace stalesock
