// SPDX-License-Identifier: Apache-2.0
// Addresses and endpoints as plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stalesock {

/// An IPv4 or IPv6 address, always kept in IPv6 form (RFC 4291, 2.5.5.2: IPv4 as ::ffff:a.b.c.d),
/// so that an IPv4-mapped peer of an AF_INET6 socket equals the same peer of an AF_INET socket.
struct Address {
	std::array<std::uint8_t, 16> bytes{};

	[[nodiscard]] bool is_ipv4() const;
	[[nodiscard]] bool is_unspecified() const;
	auto operator<=>(const Address&) const = default;
};

/// Network byte order, as in struct in_addr.
[[nodiscard]] Address address_from_ipv4(const std::uint8_t (&bytes)[4]);
[[nodiscard]] Address address_from_ipv6(const std::uint8_t (&bytes)[16]);

/// Dotted quad for IPv4 and IPv4-mapped addresses, RFC 5952 for the rest, without brackets.
[[nodiscard]] std::string to_string(const Address& address);

/// One end of a connection. Port in host byte order; 0 where the kernel has not chosen one yet.
struct Endpoint {
	Address address;
	std::uint16_t port = 0;

	auto operator<=>(const Endpoint&) const = default;
};

/// "127.0.0.1:8080" or "[::1]:8080"; the port is always there.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

/// The inverse; also accepts "ADDRESS" alone when the caller allows no port, see parse_address.
/// Nothing on bad input or a port outside 1-65535.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

} // namespace stalesock
