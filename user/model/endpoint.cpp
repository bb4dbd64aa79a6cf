// SPDX-License-Identifier: Apache-2.0
#include "model/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

namespace stalesock {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<std::uint16_t> parse_port(std::string_view text) {
	std::uint16_t port = 0;
	const char* const end = text.data() + text.size();
	const auto [stop, failure] = std::from_chars(text.data(), end, port);
	if (failure != std::errc{} || stop != end || port == 0) {
		return std::nullopt;
	}
	return port;
}

bool is_bracketed(std::string_view text) {
	return text.size() >= 2 && text.front() == '[' && text.back() == ']';
}

std::optional<Address> parse_ipv4(const std::string& text) {
	std::uint8_t bytes[4] = {};
	if (inet_pton(AF_INET, text.c_str(), bytes) != 1) {
		return std::nullopt;
	}
	return address_from_ipv4(bytes);
}

std::optional<Address> parse_ipv6(const std::string& text) {
	std::uint8_t bytes[16] = {};
	if (inet_pton(AF_INET6, text.c_str(), bytes) != 1) {
		return std::nullopt;
	}
	return address_from_ipv6(bytes);
}

} // namespace

bool Address::is_ipv4() const {
	return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

bool Address::is_unspecified() const {
	const auto first = bytes.begin() + (is_ipv4() ? mapped_prefix.size() : 0);
	return std::all_of(first, bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

Address address_from_ipv4(const std::uint8_t (&bytes)[4]) {
	Address address;
	const auto rest = std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.bytes.begin());
	std::copy(std::begin(bytes), std::end(bytes), rest);
	return address;
}

Address address_from_ipv6(const std::uint8_t (&bytes)[16]) {
	Address address;
	std::copy(std::begin(bytes), std::end(bytes), address.bytes.begin());
	return address;
}

std::string to_string(const Address& address) {
	std::array<char, INET6_ADDRSTRLEN> text{};
	const bool ipv4 = address.is_ipv4();
	const std::uint8_t* const bytes = address.bytes.data() + (ipv4 ? mapped_prefix.size() : 0);
	inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes, text.data(), static_cast<socklen_t>(text.size()));
	return text.data();
}

std::string to_string(const Endpoint& endpoint) {
	const std::string address = to_string(endpoint.address);
	const std::string port = std::to_string(endpoint.port);
	return endpoint.address.is_ipv4() ? address + ":" + port : "[" + address + "]:" + port;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
	const std::size_t colon = text.rfind(':');
	if (colon == std::string_view::npos) {
		return std::nullopt;
	}
	const std::string_view host = text.substr(0, colon);
	const auto port = parse_port(text.substr(colon + 1));
	// A bare IPv6 address before the port is ambiguous: "::1:80" is an address by itself.
	if (!port || (host.find(':') != std::string_view::npos && !is_bracketed(host))) {
		return std::nullopt;
	}
	const auto address = parse_address(host);
	if (!address) {
		return std::nullopt;
	}
	return Endpoint{*address, *port};
}

std::optional<Address> parse_address(std::string_view text) {
	// inet_pton stops at a NUL; one inside the text would hide what follows it.
	if (text.find('\0') != std::string_view::npos) {
		return std::nullopt;
	}
	if (is_bracketed(text)) {
		return parse_ipv6(std::string(text.substr(1, text.size() - 2)));
	}
	const std::string whole(text);
	const auto ipv4 = parse_ipv4(whole);
	return ipv4 ? ipv4 : parse_ipv6(whole);
}

} // namespace stalesock
