// SPDX-License-Identifier: Apache-2.0
// The rules: pure functions from a connection and what just happened to a finding. They are lists, in
// order of precedence; the first finding of a list stands, the rest are not asked.
#pragma once

#include "track/connection.hpp"
#include "verdict/verdict.hpp"

#include <optional>
#include <span>

namespace stalesock {

/// A peer's FIN this long after the last exchange closes an idle connection; sooner, it comes with the
/// response. Servers send response and FIN within a scheduling delay; no idle timeout in use is this
/// short.
inline constexpr Nanoseconds idle_threshold = std::chrono::milliseconds(100);

/// Whoever is still sending a request at the FIN has sent within this time.
inline constexpr Nanoseconds early_window = std::chrono::milliseconds(100);
/// ... and goes on within this time after it.
inline constexpr Nanoseconds early_continuation = std::chrono::seconds(1);

/// An RST this long after a request (or four round trips, whichever is more) crossed it, or answers
/// its arrival; later, the peer had taken the request.
inline constexpr Nanoseconds race_window = std::chrono::milliseconds(100);

/// TLS 1.3 hides the record type; a record this short holds an alert (2 bytes, content type, tag).
inline constexpr std::uint16_t tls_alert_record = 19;
/// Up to here a record holds a padded alert (35 in Java) or a goodbye frame (HTTP/2 GOAWAY: 34), but it
/// could hold a very short request: what the application does next decides.
inline constexpr std::uint16_t tls_short_record = 40;
/// No parting TLS records are longer, all together.
inline constexpr std::uint32_t longest_farewell = 128;
/// "QUIT\r\n" and its like.
inline constexpr std::uint32_t longest_goodbye = 8;

struct Situation {
	const Connection& connection;
	const Event* event = nullptr; ///< null when time alone brought it about
	Nanoseconds tick = default_tick;
};

struct Finding {
	VerdictKind kind = VerdictKind::stale_reuse;
	Confidence confidence = Confidence::certain;
	std::string inferred;
	Nanoseconds time{};
	Evidence evidence;
};

using Rule = std::optional<Finding> (*)(const Situation&);

/// On event peer_fin, in ESTABLISHED, for active openers.
[[nodiscard]] std::span<const Rule> rules_at_peer_fin();
/// On event end by an RST in ESTABLISHED, no FIN before, for active openers.
[[nodiscard]] std::span<const Rule> rules_at_reset();
/// On an end that we brought about.
[[nodiscard]] std::span<const Rule> rules_at_abort();
/// When a late write has settled.
[[nodiscard]] std::span<const Rule> rules_at_late_write();
/// On the end of a connection with a late write, for passive openers.
[[nodiscard]] std::span<const Rule> rules_at_passive_end();

[[nodiscard]] std::optional<Finding> first_finding(std::span<const Rule> rules,
                                                   const Situation& situation);

/// The verdict on this FIN may still turn out to be an early response: the response has not been read
/// and our last send is recent.
[[nodiscard]] bool may_become_early_response(const Connection& connection, Nanoseconds tick);

/// What the application does after its late write decides whether that was a farewell.
[[nodiscard]] bool farewell_is_open(const Connection& connection);

std::optional<Finding> reuse_race(const Situation& situation);
std::optional<Finding> unanswered_close(const Situation& situation);
std::optional<Finding> early_response_at_fin(const Situation& situation);
std::optional<Finding> limit_close(const Situation& situation);
std::optional<Finding> idle_close(const Situation& situation);

std::optional<Finding> reuse_race_by_reset(const Situation& situation);
std::optional<Finding> unanswered_reset(const Situation& situation);
std::optional<Finding> early_response_by_reset(const Situation& situation);
std::optional<Finding> idle_reset(const Situation& situation);

std::optional<Finding> dirty_close(const Situation& situation);

std::optional<Finding> farewell_write(const Situation& situation);
std::optional<Finding> early_response_by_late_write(const Situation& situation);
std::optional<Finding> stale_reuse(const Situation& situation);

std::optional<Finding> half_close_response(const Situation& situation);
std::optional<Finding> abandoned_response(const Situation& situation);

} // namespace stalesock
