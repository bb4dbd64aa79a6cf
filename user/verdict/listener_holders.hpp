// SPDX-License-Identifier: Apache-2.0
// Which process listens where: who should accept a connection that nobody has accepted.
#pragma once

#include "model/event.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace stalesock {

/// At most 4,096 listeners, of about 100 B each; what finds no room is not known.
class ListenerHolders {
  public:
	static constexpr std::size_t limit = 4096;

	/// An owner event of a listening socket.
	void note(const Event& event);

	/// Of a connection with this local end: by its address, or by that of a listener on all addresses. Null: not known.
	[[nodiscard]] const Actor* find(const Endpoint& local, std::uint32_t netns) const;

  private:
	struct Key {
		Endpoint local;
		std::uint32_t netns = 0;

		friend bool operator==(const Key&, const Key&) = default;

		template <typename H> friend H AbslHashValue(H state, const Key& key) {
			return H::combine(std::move(state), key.local.address.bytes, key.local.port, key.netns);
		}
	};

	absl::flat_hash_map<Key, Actor> holders_;
};

} // namespace stalesock
