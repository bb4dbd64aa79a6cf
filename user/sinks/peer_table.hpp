// SPDX-License-Identifier: Apache-2.0
// What was learned, as tables for people.
#pragma once

#include "verdict/peer.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace stalesock {

inline constexpr std::size_t narrowest_table = 80;
inline constexpr std::size_t widest_table = 120;

/// A line for the head, then for each endpoint one of numbers and those of words, within `width` columns (80 to
/// 120). Unknown is "-". Empty for none.
[[nodiscard]] std::vector<std::string> peer_table(const std::vector<const Peer*>& peers,
                                                  std::size_t width);
[[nodiscard]] std::vector<std::string> listener_table(const std::vector<const Listener*>& listeners,
                                                      std::size_t width);

} // namespace stalesock
