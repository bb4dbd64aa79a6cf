// SPDX-License-Identifier: Apache-2.0
// Which sockets are wanted.
#pragma once

#include "model/row.hpp"

#include <optional>
#include <string>

namespace stalesock {

/// An address, a port, or both.
struct EndpointPattern {
	std::optional<Address> address;
	std::optional<std::uint16_t> port;
};
/// "10.0.0.7:8080", "[::1]:80", "10.0.0.7", "::1", ":8080". Nothing on bad input.
[[nodiscard]] std::optional<EndpointPattern> parse_endpoint_pattern(std::string_view text);

struct RowFilter {
	std::uint32_t states = 0; ///< bit n: TCP state n; 0: all
	std::optional<EndpointPattern> remote;
	std::optional<EndpointPattern> local;
	std::optional<std::uint16_t> port; ///< local or remote
	std::optional<std::int32_t> pid;
	std::optional<std::string> unit;
	std::optional<Role> role;
	std::optional<Nanoseconds> idle_over; ///< nothing sent for longer
	bool stale = false;                   ///< only those whose peer has closed first
	std::string text; ///< part of an endpoint, the command, the unit or the state
};

[[nodiscard]] bool is_empty(const RowFilter& filter);
[[nodiscard]] bool matches(const RowFilter& filter, const Row& row);
/// Whether this text is part of what a row is called. Upper and lower case (ASCII) are the same.
[[nodiscard]] bool contains(const Row& row, std::string_view text);

/// Bit of a state in RowFilter::states.
[[nodiscard]] constexpr std::uint32_t state_bit(TcpState state) {
	return 1U << static_cast<unsigned>(state);
}
/// "CLOSE_WAIT", "close-wait"; nothing for what is none.
[[nodiscard]] std::optional<TcpState> parse_tcp_state(std::string_view name);
[[nodiscard]] std::optional<Role> parse_role(std::string_view name);

} // namespace stalesock
