// SPDX-License-Identifier: Apache-2.0
// Sockets that were read and are not in the table yet: one thread reads on while another puts them there.
#pragma once

#include "probe/snapshot_join.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace stalesock {

/// At most as much memory as all records need, when nobody works on it until the end.
class Backlog {
  public:
	/// Both must outlive it.
	Backlog(SnapshotJoin& joined, SocketTable& table) : joined_(joined), table_(table) {}

	/// For the reader: about so many sockets will come.
	void expect(std::size_t sockets);
	/// For the reader: where the next records belong, as many as one read() returns. Valid until the next add().
	[[nodiscard]] std::span<stalesock_socket> space();
	/// For the reader: so many are there.
	void add(std::size_t count, const NamespaceFacts& place, Nanoseconds tick);
	/// For the reader: no more will come.
	void close();

	/// Puts records into the table, in order, until all that will ever come are there. For any number of threads.
	void work();

  private:
	static constexpr std::size_t read_size = 32'768; ///< the most that one read() returns

	/// Records are filled by read(): to clear them before would cost as much.
	struct Chunk { // NOLINT(cppcoreguidelines-pro-type-member-init)
		std::array<stalesock_socket, read_size / sizeof(stalesock_socket)> records;
		std::size_t count = 0;
		NamespaceFacts place;
		Nanoseconds tick{};
	};

	SnapshotJoin& joined_;
	SocketTable& table_;
	std::unique_ptr<Chunk> next_; ///< the reader's
	std::mutex mutex_;            ///< of everything below
	std::condition_variable changed_;
	std::deque<std::unique_ptr<Chunk>> waiting_;
	std::vector<std::unique_ptr<Chunk>> spare_;
	bool closed_ = false;
	bool busy_ = false; ///< somebody puts records into the table
};

} // namespace stalesock
