// SPDX-License-Identifier: Apache-2.0
// What the rules share: filling evidence, and naming what was inferred.
#pragma once

#include "track/reading.hpp"
#include "verdict/rules.hpp"

namespace stalesock {

/// The socket as the event shows it. The event must carry a view.
[[nodiscard]] Reading reading_of(const Event& event, Nanoseconds tick);

/// The socket at the peer's FIN; nothing when the FIN was not seen.
[[nodiscard]] std::optional<Reading> reading_at_fin(const Connection& connection, Nanoseconds tick);

/// Evidence any view gives: ages, counters, round trip.
[[nodiscard]] Evidence evidence_of(const Reading& reading, const Connection& connection);

/// Evidence of a late write: view at the FIN where known, the write, what was read, the RST.
[[nodiscard]] Evidence evidence_of_late_write(const Connection& connection, Nanoseconds tick);

/// Lowers the confidence to at most `confidence` and names the inferred fact.
void infer(Finding& finding, Confidence confidence, std::string_view fact);

} // namespace stalesock
