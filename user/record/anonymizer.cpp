// SPDX-License-Identifier: Apache-2.0
#include "record/anonymizer.hpp"

#include "stalesock/event.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

namespace stalesock {

namespace {

/// Of different kinds of value: equal bytes must not give equal hashes.
enum Domain : std::uint8_t { for_ipv4, for_loopback, for_ipv6, for_port, for_command, for_cgroup };

constexpr std::uint16_t highest_kept_port = 1024;
constexpr std::size_t ipv4_offset = 12; // within an IPv4-mapped IPv6 address

SipKey random_key() {
	SipKey key{};
	if (getrandom(key.data(), sizeof(key), 0) != static_cast<ssize_t>(sizeof(key))) {
		throw std::system_error(errno, std::generic_category(), "cannot make a random key");
	}
	return key;
}

bool is_loopback(std::uint32_t ipv4) {
	return ipv4 >> 24U == 127;
}

bool is_mapped(const std::uint8_t (&bytes)[16]) {
	constexpr std::array<std::uint8_t, ipv4_offset> prefix{0, 0, 0, 0, 0,    0,
	                                                       0, 0, 0, 0, 0xff, 0xff};
	return std::equal(prefix.begin(), prefix.end(), std::begin(bytes));
}

/// :: and ::1
bool is_special(const std::uint8_t (&bytes)[16]) {
	return std::all_of(std::begin(bytes), std::end(bytes) - 1,
	                   [](auto byte) { return byte == 0; }) &&
	       bytes[15] <= 1;
}

} // namespace

Anonymizer::Anonymizer() : key_(random_key()) {}

std::uint64_t Anonymizer::hash(std::uint8_t domain, ByteView bytes) const {
	return siphash({key_[0] ^ domain, key_[1]}, bytes);
}

/// A Feistel network: one to one among the values of 2 * half_bits bits.
std::uint32_t Anonymizer::permute(std::uint8_t domain, std::uint32_t value,
                                  unsigned half_bits) const {
	constexpr std::uint8_t rounds = 8;
	const std::uint32_t mask = (1U << half_bits) - 1;
	std::uint32_t left = value >> half_bits;
	std::uint32_t right = value & mask;
	for (std::uint8_t round = 0; round < rounds; round++) {
		std::array<std::byte, 5> input{std::byte{round}};
		store(input.data() + 1, right);
		const std::uint32_t mixed = static_cast<std::uint32_t>(hash(domain, input)) & mask;
		left = std::exchange(right, left ^ mixed);
	}
	return left << half_bits | right;
}

// What leaves its class is sent on until it comes back: that keeps it one to one.
std::uint32_t Anonymizer::ipv4(std::uint32_t address) const {
	constexpr std::uint32_t host_part = 0xff'ffff;
	if (address == 0) {
		return 0;
	}
	if (is_loopback(address)) {
		return (address & ~host_part) | permute(for_loopback, address & host_part, 12);
	}
	do {
		address = permute(for_ipv4, address, 16);
	} while (address == 0 || is_loopback(address));
	return address;
}

std::uint16_t Anonymizer::port(std::uint16_t port) const {
	std::uint32_t result = port;
	if (port > highest_kept_port) {
		do {
			result = permute(for_port, result, 8);
		} while (result <= highest_kept_port);
	}
	return static_cast<std::uint16_t>(result);
}

void Anonymizer::hide_ipv4(std::uint8_t* bytes) const {
	std::uint32_t address = 0;
	for (int i = 0; i < 4; i++) {
		address = address << 8U | bytes[i];
	}
	address = ipv4(address);
	for (int i = 3; i >= 0; i--) {
		bytes[i] = static_cast<std::uint8_t>(address);
		address >>= 8U;
	}
}

void Anonymizer::hide_address(std::uint16_t family, std::uint8_t (&bytes)[16]) const {
	constexpr std::uint8_t unique_local = 0xfd; // RFC 4193: nobody's on the Internet
	if (family == AF_INET) {
		hide_ipv4(bytes);
		std::fill(std::begin(bytes) + 4, std::end(bytes), std::uint8_t{0});
		return;
	}
	if (is_mapped(bytes)) {
		hide_ipv4(bytes + ipv4_offset);
		return;
	}
	if (is_special(bytes)) {
		return;
	}
	std::array<std::byte, 17> input{};
	std::memcpy(input.data() + 1, bytes, sizeof(bytes));
	for (std::size_t half = 0; half < 2; half++) {
		input[0] = static_cast<std::byte>(half);
		const std::uint64_t value = hash(for_ipv6, input);
		std::memcpy(bytes + 8 * half, &value, sizeof(value));
	}
	bytes[0] = unique_local;
}

// All 16 bytes: what follows the NUL may be left over from a longer name.
void Anonymizer::hide_command(char (&command)[16]) const {
	constexpr std::uint64_t eleven_digits = (std::uint64_t{1} << 44U) - 1;
	const std::string_view name(command, strnlen(command, sizeof(command)));
	std::string text;
	if (!name.empty()) {
		text = fmt::format("cmd-{:011x}",
		                   hash(for_command, std::as_bytes(std::span(name))) & eleven_digits);
	}
	std::fill(std::begin(command), std::end(command), '\0');
	text.copy(command, sizeof(command) - 1);
}

void Anonymizer::apply(std::span<std::byte> record) const {
	constexpr std::uint64_t exact_in_json = (std::uint64_t{1} << 48U) - 1;
	stalesock_event_late late{};
	stalesock_event_full& full = late.full;
	const std::size_t size = std::min(record.size(), sizeof(late));
	std::memcpy(&late, record.data(), size);
	hide_address(full.head.family, full.head.local);
	hide_address(full.head.family, full.head.remote);
	full.head.local_port = port(full.head.local_port);
	full.head.remote_port = port(full.head.remote_port);
	hide_command(full.head.command);
	hide_command(late.late_command);
	if (full.head.cgroup_id != 0) {
		std::array<std::byte, 8> input{};
		store(input.data(), std::uint64_t{full.head.cgroup_id});
		full.head.cgroup_id = std::max<std::uint64_t>(hash(for_cgroup, input) & exact_in_json, 1);
	}
	std::memcpy(record.data(), &late, size);
}

} // namespace stalesock
