// SPDX-License-Identifier: Apache-2.0
// Verdicts and events with a value in every field, or in none.
#pragma once

#include "sinks/sink.hpp"

#include <string>
#include <string_view>

namespace stalesock::test {

/// 2026-11-21T02:40:00.123456Z
inline constexpr WallTime sample_time{Nanoseconds{1'795'228'800'123'456'789}};

[[nodiscard]] Endpoint endpoint(std::string_view text);

/// Every field is known, and no two have the same value.
[[nodiscard]] Verdict full_verdict();
/// Nothing is known but what always is.
[[nodiscard]] Verdict minimal_verdict();

/// Of an active and of a passive opener; the latter's owner is unknown.
[[nodiscard]] Collapsed full_sum();
[[nodiscard]] Collapsed minimal_sum();

/// A full record, and a late write with every field.
[[nodiscard]] Event full_event();
/// A short record of which nothing is known.
[[nodiscard]] Event minimal_event();

/// What a process may call itself to attack a terminal: ESC, newline, DEL, C1, a bidirectional
/// override, bytes that are no UTF-8. Ends in a letter.
[[nodiscard]] std::string hostile_command();

} // namespace stalesock::test
