// SPDX-License-Identifier: Apache-2.0
// How many connections each process has left in CLOSE_WAIT for too long.
#pragma once

#include "track/connection.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace stalesock {

/// Counts reported leaks by process and remote address; of an active opener also by remote port. It holds no more entries
/// than there are such connections.
class Leaks {
  public:
	struct Group {
		std::uint64_t connections = 0;
		Nanoseconds first{}; ///< boot time of the first report
	};

	/// The connection has just been found to leak: sets `leak_told`. Returns its group, itself included.
	Group add(Connection& connection, Nanoseconds now);

	/// The connection is gone; nothing happens unless it was added.
	void remove(const Connection& connection);

	[[nodiscard]] std::size_t size() const { return groups_.size(); }

	/// Of a connection that was added.
	[[nodiscard]] Group group_of(const Connection& connection) const;

	/// Of the same group.
	[[nodiscard]] static bool belong_together(const Connection& one, const Connection& other) {
		return key_of(one) == key_of(other);
	}

  private:
	struct Key {
		std::int32_t pid = 0;
		std::uint32_t netns = 0;
		Endpoint remote;

		friend bool operator==(const Key&, const Key&) = default;

		template <typename H> friend H AbslHashValue(H state, const Key& key) {
			return H::combine(std::move(state), key.pid, key.netns, key.remote.address.bytes,
			                  key.remote.port);
		}
	};

	static Key key_of(const Connection& connection);

	absl::flat_hash_map<Key, Group> groups_;
};

} // namespace stalesock
