// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace stalesock {

/// How `stalesock peers` sorts: by endpoint, or with the largest or latest first.
enum class PeerOrder : std::uint8_t { endpoint, timeout, reuse, near_misses, last_seen };

} // namespace stalesock
