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
/// The same at the peer's FIN or RST: the time that an answer took, or that passed after a parting word, is not idle.
[[nodiscard]] Evidence evidence_of_close(const Reading& reading, const Connection& connection);

/// The last exchange was over for longer than the threshold when the peer closed.
[[nodiscard]] Belief was_idle(const Reading& reading);

/// How long the connection had been idle when the peer closed it, by counters.
[[nodiscard]] Nanoseconds idle_at_close(const Reading& reading);

/// What the peer said last lies unread and is as long as a TLS close_notify.
[[nodiscard]] bool ends_with_close_notify(const Reading& reading);

/// Evidence of a late write: view at the FIN where known, the write, what was read, the RST.
[[nodiscard]] Evidence evidence_of_late_write(const Connection& connection, Nanoseconds tick);

/// Effective TCP_KEEPIDLE of a socket with SO_KEEPALIVE, as far as the event shows it.
[[nodiscard]] std::optional<Nanoseconds> keepalive_idle_of(const Event& event, Nanoseconds tick);

/// What a packet capture does not show lowers the confidence.
void admit_sight(Finding& finding, const Connection& connection);
void admit_losses(Finding& finding, const SocketView& view);

/// Lowers the confidence to at most `confidence` and names the inferred fact.
void infer(Finding& finding, Confidence confidence, std::string_view fact);

} // namespace stalesock
