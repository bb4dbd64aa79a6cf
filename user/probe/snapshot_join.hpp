// SPDX-License-Identifier: Apache-2.0
// Records of both iterators, as the kernel wrote them, into one table. Knows no libbpf.
#pragma once

#include "model/socket.hpp"
#include "probe/snapshot_decode.hpp"
#include "stalesock/snapshot.h"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stalesock {

/// One descriptor of a socket: kept until all sockets are known.
struct Holding {
	std::uint64_t cookie;
	std::uint32_t process; ///< index in processes
};

/// What the iterator over descriptors had to say. Descriptors come process by process.
struct Holders {
	std::vector<Process> processes{Process{}};
	std::vector<Holding> holdings;
	std::string trouble; ///< why not all were read; empty: all were

	void add(std::span<const stalesock_holder> records);
};

class SnapshotJoin {
  public:
	/// Empties the table and keeps its memory.
	void begin(SocketTable& table);
	/// For so many sockets more.
	void reserve(std::size_t more, SocketTable& table);
	/// A socket that changed its state meanwhile is passed again: the later record is true.
	void add(std::span<const stalesock_socket> records, const NamespaceFacts& place,
	         Nanoseconds tick, SocketTable& table);
	void join(Holders found, SocketTable& table) const;

  private:
	absl::flat_hash_map<std::uint64_t, std::uint32_t> by_cookie_;
};

} // namespace stalesock
