// SPDX-License-Identifier: Apache-2.0
// Records without what names hosts and programs: the same address, port, command or cgroup becomes the same
// stand-in throughout one recording, and another one in the next.
#pragma once

#include "record/siphash.hpp"

#include <cstdint>
#include <span>

namespace stalesock {

class Anonymizer {
  public:
	/// With a random key that is never stored. Throws std::system_error when the kernel gives none.
	Anonymizer();
	explicit Anonymizer(const SipKey& key) : key_(key) {}

	/// Changes a record in place. Kept: the family, whether an address is loopback or unspecified or
	/// IPv4-mapped, ports up to 1024, pids, network namespaces, socket cookies, times and counters. The record
	/// must be one that decode accepts.
	void apply(std::span<std::byte> record) const;

	/// One to one among the addresses that are loopback, and among those that are not.
	[[nodiscard]] std::uint32_t ipv4(std::uint32_t address) const; ///< host byte order
	/// One to one among the ports above 1024; others stay.
	[[nodiscard]] std::uint16_t port(std::uint16_t port) const;

  private:
	[[nodiscard]] std::uint64_t hash(std::uint8_t domain, ByteView bytes) const;
	[[nodiscard]] std::uint32_t permute(std::uint8_t domain, std::uint32_t value,
	                                    unsigned half_bits) const;
	void hide_ipv4(std::uint8_t* bytes) const;
	void hide_address(std::uint16_t family, std::uint8_t (&bytes)[16]) const;
	void hide_command(char (&command)[16]) const;

	SipKey key_{};
};

} // namespace stalesock
