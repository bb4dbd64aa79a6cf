// SPDX-License-Identifier: Apache-2.0
// A verdict in plain words, with its numbers.
#pragma once

#include "verdict/verdict.hpp"

#include <string>

namespace stalesock {

/// One sentence; text from outside is escaped. Needs kind, connection, owner, evidence
/// and peer.
[[nodiscard]] std::string message_for(const Verdict& verdict);

/// "0.03 ms", "498 ms", "2.00 s": three significant figures.
[[nodiscard]] std::string duration_text(Nanoseconds duration);

} // namespace stalesock
