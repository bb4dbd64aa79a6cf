// SPDX-License-Identifier: Apache-2.0
// Big-endian numbers out of captured bytes. The caller has checked that they are there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stalesock {

using Octets = std::span<const std::uint8_t>;

[[nodiscard]] inline std::uint16_t read_u16(Octets bytes, std::size_t at) {
	return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}

[[nodiscard]] inline std::uint32_t read_u32(Octets bytes, std::size_t at) {
	return std::uint32_t{read_u16(bytes, at)} << 16U | read_u16(bytes, at + 2);
}

} // namespace stalesock
