// SPDX-License-Identifier: Apache-2.0
// From a record of the socket iterator to a plain value.
#pragma once

#include "model/socket.hpp"

struct stalesock_socket;

namespace stalesock {

/// What a network namespace has in common for its sockets.
struct NamespaceFacts {
	std::uint32_t inode = 0;
	Nanoseconds keepalive_idle{}; ///< net.ipv4.tcp_keepalive_time
	Nanoseconds keepalive_interval{};
	std::uint8_t keepalive_probes = 0;
	std::size_t sockets = 0; ///< about how many there are: to reserve memory
};

/// Of the namespace this thread is in.
[[nodiscard]] NamespaceFacts read_namespace_facts(std::uint32_t inode);

void decode(const stalesock_socket& record, const NamespaceFacts& place, Nanoseconds tick,
            SocketEntry& entry);

} // namespace stalesock
