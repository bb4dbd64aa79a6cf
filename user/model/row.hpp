// SPDX-License-Identifier: Apache-2.0
// A socket as a line of the table: what the kernel said, read for what it means. Absent is unknown.
#pragma once

#include "model/socket.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stalesock {

/// Whose FIN came first. `both`: they crossed. `us` in TIME_WAIT includes FINs that crossed.
enum class FirstCloser : std::uint8_t { unknown, peer, us, both };
/// "peer", "us", "both"; empty for unknown.
[[nodiscard]] std::string_view to_string(FirstCloser closer);

/// What has been learned of a server.
struct PeerTimeout {
	Nanoseconds idle{};             ///< shortest idle time after which it closes
	Nanoseconds spread{};           ///< how much longer it takes at most
	std::uint32_t observations = 0; ///< closes that agree
};

/// What somebody who was there knows of a connection, beyond what the kernel keeps.
struct ConnectionMemory {
	std::optional<Nanoseconds> opened;   ///< boot time
	std::optional<Nanoseconds> peer_fin; ///< boot time; observed, not inferred
	Role role = Role::unknown;           ///< observed, not inferred
	std::string_view verdict;            ///< name of the gravest so far; empty: none
};

/// The seam to the engine and to what the daemon has learned. Both answers are good until the next event.
class Memory {
  public:
	Memory() = default;
	virtual ~Memory() = default;
	Memory(const Memory&) = delete;
	Memory& operator=(const Memory&) = delete;

	[[nodiscard]] virtual std::optional<ConnectionMemory>
	connection(std::uint64_t cookie) const = 0;
	[[nodiscard]] virtual std::optional<PeerTimeout> peer(const Endpoint& remote,
	                                                      std::uint32_t netns) const = 0;
};

struct Row {
	const SocketEntry* socket = nullptr;
	const Process* process = nullptr; ///< null: not known
	Role role = Role::unknown;
	FirstCloser first_closer = FirstCloser::unknown;
	std::optional<Nanoseconds> age;
	std::optional<Nanoseconds> sent_age;
	std::optional<Nanoseconds> received_age;
	std::optional<Nanoseconds> fin_age; ///< since the peer's FIN
	std::optional<Nanoseconds> next_probe;
	std::optional<std::uint32_t> unread;
	std::optional<std::uint32_t> unacked;
	std::optional<PeerTimeout> peer;
	std::optional<Nanoseconds> time_left; ///< until the peer closes; zero: it is overdue
	std::string_view verdict;
};

/// The peer's FIN has been received and the application has not closed.
[[nodiscard]] bool is_stale(const SocketEntry& socket);
/// Since our last send, or since the handshake when there was none.
[[nodiscard]] std::optional<Nanoseconds> idle_time(const Row& row);
/// The name of a process without what would drive a terminal; empty when nobody is known.
[[nodiscard]] std::string_view command_of(const Row& row);

/// Makes rows from the sockets of one table, which must stay as it is meanwhile.
class RowReader {
  public:
	/// `taken`: boot time of the snapshot. The memory may be null.
	RowReader(const SocketTable& table, Nanoseconds taken, const Memory* memory = nullptr);

	[[nodiscard]] Row read(const SocketEntry& socket) const;
	[[nodiscard]] const SocketTable& table() const { return table_; }

  private:
	[[nodiscard]] Role role_of(const SocketEntry& socket) const;
	void recall(Row& row) const;

	const SocketTable& table_;
	Nanoseconds taken_;
	const Memory* memory_;
	std::vector<std::uint16_t>
		ports_without_backlog_; ///< listen(fd, 0): their children inherit nothing
};

} // namespace stalesock
