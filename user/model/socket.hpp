// SPDX-License-Identifier: Apache-2.0
// One look at every socket: what the kernel said of each, and who holds it.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

/// What is pending on a socket, with the names of ss.
enum class TimerKind : std::uint8_t { none, retransmit, keepalive, time_wait, persist };
/// "on", "keepalive", "timewait", "persist"; empty for none.
[[nodiscard]] std::string_view to_string(TimerKind kind);

/// Kept small: one exists for each socket of the host. Ages count from the moment of the snapshot and are
/// exact to a jiffy.
struct SocketEntry {
	std::uint64_t cookie = 0; ///< 0: the kernel has given none (a handshake under way)
	std::uint64_t bytes_sent = 0;
	std::uint64_t bytes_received = 0;
	Nanoseconds send_age{};           ///< since lsndtime: the last payload, or the handshake
	Nanoseconds receive_age{};        ///< since lrcvtime: the last payload, or the handshake
	Nanoseconds ack_age{};            ///< since rcv_tstamp: the last segment with an acceptable ACK
	Nanoseconds transmit_age{};       ///< CLOSE_WAIT: since our last segment of any kind
	Nanoseconds timer{};              ///< until `timer_kind` expires
	Nanoseconds keepalive_timer{};    ///< until it expires; with keepalive_armed
	Nanoseconds keepalive_idle{};     ///< effective TCP_KEEPIDLE
	Nanoseconds keepalive_interval{}; ///< effective TCP_KEEPINTVL
	std::uint32_t netns = 0;          ///< inode number; 0: not known
	std::uint32_t unread = 0; ///< the FIN counted as one; LISTEN: connections not accepted yet
	std::uint32_t unacked =
		0; ///< SYN or FIN of ours counted as one; LISTEN: the limit of the backlog
	std::uint32_t retransmits = 0;
	std::uint32_t round_trip_us = 0; ///< smoothed; 0: not measured
	std::uint32_t process = 0;       ///< index in SocketTable::processes; 0: not known
	std::uint16_t holders = 0;       ///< processes that hold a descriptor, as far as they were seen
	Endpoint local;
	Endpoint remote;
	TcpState state = TcpState::unknown;
	TimerKind timer_kind = TimerKind::none;
	std::uint8_t timer_tries = 0;
	std::uint8_t keepalive_probes = 0; ///< effective TCP_KEEPCNT
	std::uint8_t probes_out = 0;
	bool ipv6_socket = false;
	bool full = false;          ///< not an entry of TIME_WAIT or of a handshake: counters are known
	bool peer_fin_seen = false; ///< SOCK_DONE
	bool orphan = false;        ///< SOCK_DEAD
	bool keepalive = false;     ///< SO_KEEPALIVE is on
	bool keepalive_armed = false; ///< its timer is pending
	bool inherited_backlog = false;
	bool flags_known =
		true; ///< false: sock_diag cannot tell the flags above, nor effective keepalive values
};

struct Process {
	std::int32_t pid = 0;
	std::string command;             ///< raw: escape before printing
	std::optional<std::string> unit; ///< systemd unit, filled in by app/
};

/// A process that holds a listener. Its workers share one: each accepts from it.
struct ListenerHolder {
	std::uint32_t socket = 0;  ///< index in SocketTable::sockets
	std::uint32_t process = 0; ///< index in SocketTable::processes
};

enum class SnapshotSource : std::uint8_t { iterators, sock_diag };
/// "iter/tcp", "sock_diag".
[[nodiscard]] std::string_view to_string(SnapshotSource source);

struct SocketTable {
	SnapshotSource source = SnapshotSource::iterators;
	Nanoseconds tick{}; ///< length of a jiffy; zero: not known (sock_diag tells milliseconds)
	std::vector<SocketEntry> sockets;
	std::vector<Process> processes{Process{}};    ///< [0] stands for nobody
	std::vector<ListenerHolder> listener_holders; ///< all that were seen
	std::vector<std::string> gaps;                ///< what could not be seen, one sentence each
	std::uint32_t namespaces = 0;                 ///< network namespaces looked into
};

} // namespace stalesock
