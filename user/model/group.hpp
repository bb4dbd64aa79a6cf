// SPDX-License-Identifier: Apache-2.0
// Sockets counted by what they have in common: a leak or an unequal share of connections at a glance.
#pragma once

#include "model/row.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stalesock {

/// `remote`: the endpoint we connect to, or the address of who connected to us.
/// `listener`: the local endpoint of a listener and of what it accepted, one group for each process that serves
/// it.
enum class GroupBy : std::uint8_t { process, unit, remote, listener };
[[nodiscard]] std::string_view to_string(GroupBy by);
[[nodiscard]] std::optional<GroupBy> parse_group_by(std::string_view name);

struct Group {
	std::string key;                  ///< safe to print; empty: not known
	const Process* process = nullptr; ///< what all have in common, if it is that
	std::uint64_t sockets = 0;
	std::array<std::uint32_t, 13> by_state{};  ///< index: TcpState
	std::uint64_t unread = 0;                  ///< bytes
	std::optional<Nanoseconds> oldest_fin;     ///< since the peer's FIN, of the stale ones
	std::optional<std::uint32_t> accept_queue; ///< of the listener
	std::optional<std::uint32_t> accept_limit;

	[[nodiscard]] std::uint32_t count(TcpState state) const {
		return by_state.at(static_cast<std::size_t>(state));
	}
};

/// Of `listener` there is a group without sockets for each process that holds a wanted listener and has accepted
/// nothing.
///
/// Most stale sockets first, then most sockets, then by key. Sockets that have no such thing in common are left
/// out: of `listener` those that we opened.
[[nodiscard]] std::vector<Group> group_by(GroupBy by, const RowReader& reader,
                                          std::span<const SocketEntry> sockets,
                                          std::span<const std::uint32_t> wanted);

} // namespace stalesock
