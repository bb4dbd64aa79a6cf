// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash that says nothing about its input to those
// who do not have the key.
#pragma once

#include "record/bytes.hpp"

#include <array>
#include <cstdint>

namespace stalesock {

using SipKey = std::array<std::uint64_t, 2>;

[[nodiscard]] std::uint64_t siphash(const SipKey& key, ByteView bytes);

} // namespace stalesock
