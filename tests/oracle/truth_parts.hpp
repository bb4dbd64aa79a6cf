// SPDX-License-Identifier: Apache-2.0
// The questions that a truth is made of, each about one way in which a connection ends or waits.
#pragma once

#include "facts.hpp"
#include "silence.hpp"
#include "truth.hpp"

#include <algorithm>
#include <initializer_list>

namespace oracle {

using std::chrono::milliseconds;

// The contract says 100 ms; what is near it is not scored, because the capture's clock and the
// kernel's ticks need not agree to the millisecond.
inline constexpr Nanoseconds together = milliseconds(40);
inline constexpr Nanoseconds apart = milliseconds(160);
/// Two segments this close may have been sent in either order.
inline constexpr Nanoseconds crossing = milliseconds(5);
/// The contract: an idle gap before the request, here since the handshake, makes it a reuse from 100 ms.
inline constexpr Nanoseconds surely_first_use = milliseconds(60);
inline constexpr Nanoseconds surely_reuse = milliseconds(140);
inline constexpr const char* machine_stalled = "the machine stood still";

inline void leave_unscored(Truth& truth, std::initializer_list<Kind> kinds, const char* reason) {
	for (const Kind kind : kinds)
		truth.unscored.emplace(kind, reason);
}

/// An abort of our own, not the echo of one: nothing that arrived later concerns the socket.
[[nodiscard]] bool aborted(const Facts& facts);

// truth_of_fin.cpp
/// A slow machine says its farewell before what it should answer. True: whether it was one of a connection that idled,
/// or of one that was closed in time, is a matter of margins.
[[nodiscard]] bool said_goodbye(const Segment* message, Truth& truth);
/// The peer left an answered, or never used, connection at this time.
void judge_quiet_close(const Facts& facts, const Segment* message, Nanoseconds left, bool by_fin,
                       Truth& truth);
/// A message without an answer, of which the peer had nothing when it closed: a race, if the connection
/// was reused for it.
void judge_crossing(const Facts& facts, const Segment& message, Truth& truth);
void judge_peer_fin(const Facts& facts, const std::vector<Segment>& before, Truth& truth);

// truth_of_reset.cpp
void judge_reset(const Facts& facts, const Witnesses& witnesses, Truth& truth);

void judge_refused_write(const Facts& facts, const Witness& witness, Truth& truth);

// truth_of_silence.cpp
/// Of any role: what the path forgot, and what a timer ended. True: the end is explained by that.
[[nodiscard]] bool judge_silence(const Facts& facts, const Silence& silence, const View& view,
                                 const Witness& witness, Truth& truth);
/// Of the keepalive probes before the peer's FIN, after that was judged.
void judge_probes(const Facts& facts, const Silence& silence, Truth& truth);

// truth_of_waiting.cpp
void judge_waiting(const Facts& facts, const View& view, const Witness& witness, Truth& truth);

} // namespace oracle
