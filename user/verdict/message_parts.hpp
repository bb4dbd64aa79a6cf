// SPDX-License-Identifier: Apache-2.0
// Phrases that several messages share.
#pragma once

#include "verdict/verdict.hpp"

#include <string>

namespace stalesock {

/// "nginx (pid 812)"; escaped.
[[nodiscard]] std::string who(const Owner& owner);

/// Where an owner runs: "nginx.service, docker 0123456789ab"; empty where nothing is known.
[[nodiscard]] std::string place_of(const Owner& owner);

/// "498 ms", or "an unknown time".
[[nodiscard]] std::string duration_or_unknown(const std::optional<Nanoseconds>& duration);

[[nodiscard]] inline std::uint64_t or_zero(const std::optional<std::uint64_t>& count) {
	return count.value_or(0);
}

/// How many closes a timeout rests on: "41 of 43 seen", or of the last ones.
[[nodiscard]] std::string support(const PeerFacts& peer);

/// "; that server closes connections idle for 2.00 s (41 of 43 seen)"; empty where nothing is learned.
[[nodiscard]] std::string peer_clause(const std::optional<PeerFacts>& peer);

/// Of the verdicts that silence brings about: nobody closed, or not in time.
[[nodiscard]] std::string early_idle_close_message(const Verdict& verdict);
[[nodiscard]] std::string dirty_idle_message(const Verdict& verdict);
[[nodiscard]] std::string close_wait_leak_message(const Verdict& verdict);
[[nodiscard]] std::string silent_drop_message(const Verdict& verdict);
[[nodiscard]] std::string peer_unresponsive_message(const Verdict& verdict);
[[nodiscard]] std::string pool_mismatch_message(const Verdict& verdict);
[[nodiscard]] std::string keepalive_ineffective_message(const Verdict& verdict);
[[nodiscard]] std::string keepalive_late_message(const Verdict& verdict);

} // namespace stalesock
