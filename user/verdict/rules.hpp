// SPDX-License-Identifier: Apache-2.0
// The rules: pure functions from a connection and what just happened to a finding. They are lists, in
// order of precedence; the first finding of a list stands, the rest are not asked.
#pragma once

#include "track/connection.hpp"
#include "verdict/verdict.hpp"
#include "verdict/waiting_limits.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace stalesock {

struct Peer;

/// A peer's FIN this long after the last exchange closes an idle connection; sooner, it comes with the
/// response. Servers send response and FIN within a scheduling delay; no idle timeout in use is this
/// short.
inline constexpr Nanoseconds idle_threshold = std::chrono::milliseconds(100);

/// A response and the FIN of the same close leave a server within a scheduling delay, and reach us in one or two segments.
inline constexpr Nanoseconds response_and_fin = std::chrono::milliseconds(20);

/// An idle close before half of the time that others lasted was not the idle timer's.
inline constexpr int early_share = 2;

/// Whoever is still sending a request at the FIN has sent within this time.
inline constexpr Nanoseconds early_window = std::chrono::milliseconds(100);
/// ... and goes on within this time after it.
inline constexpr Nanoseconds early_continuation = std::chrono::seconds(1);

/// An RST this long after a request (or four round trips, whichever is more) crossed it, or answers
/// its arrival; later, the peer had taken the request.
inline constexpr Nanoseconds race_window = std::chrono::milliseconds(100);

/// Up to here a record holds a padded alert (35 in Java) or a goodbye frame (HTTP/2 GOAWAY: 34), but it
/// could hold a very short request: what the application does next decides.
inline constexpr std::uint16_t tls_short_record = 40;
/// No parting TLS records are longer, all together.
inline constexpr std::uint32_t longest_farewell = 128;
/// A close_notify with today's AEAD ciphers: in TLS 1.3, in TLS 1.2 (RFC 8446, RFC 5246).
inline constexpr std::array<std::uint32_t, 2> close_notify_sizes{24, 31};
/// The same as Java 17 pads it in TLS 1.3. A request may be as short, so what is written is not known by this.
inline constexpr std::uint32_t padded_close_notify = 40;
/// Neither side of a TLS handshake sends less (RFC 8446, 4.1: a hello alone has 32 bytes of random, and
/// key share and Finished come with it).
inline constexpr std::uint32_t least_of_handshake = 128;
/// "QUIT\r\n" and its like.
inline constexpr std::uint32_t longest_goodbye = 8;
/// With words of its own, as IRC has them (include/stalesock/heads.h).
inline constexpr std::uint32_t longest_parting_line = 512;
/// Before a record's bytes (RFC 8446, 5.1).
inline constexpr std::uint32_t tls_header = 5;

/// A silence before a write may have made the path forget the connection from this on; devices that forget sooner are
/// not in use.
inline constexpr Nanoseconds shortest_forgetting = std::chrono::seconds(1);
/// A write that nobody has acknowledged for so long has been sent three times or more (RTO of 200 ms, doubling;
/// RFC 6298), unless the round trip is slow.
inline constexpr Nanoseconds patience_with_silence = std::chrono::seconds(1);
/// Whoever leaves more than this unread may be slow rather than forgetful.
inline constexpr std::uint32_t longest_forgotten = 16'384;

[[nodiscard]] inline bool is_close_notify_size(std::uint64_t bytes) {
	return std::find(close_notify_sizes.begin(), close_notify_sizes.end(), bytes) !=
	       close_notify_sizes.end();
}

/// What the other end of the connection tells, where it is on this host.
struct OtherEndSeen {
	std::uint64_t cookie = 0;
	bool same_process = false; ///< it is ours: a program's pair of sockets to itself
	/// When its application closed: whether it had read any of our last message.
	std::optional<bool> read_part{};
};

struct Situation {
	const Connection& connection;
	const Event* event = nullptr; ///< null when time alone brought it about
	Nanoseconds tick = default_tick;
	WaitingLimits limits{};
	std::optional<OtherEndSeen> other{};
	Nanoseconds now{}; ///< how far the watch has come
	/// The shortest idle time after which that server closes, where it is learned.
	std::optional<Nanoseconds> usual_idle{};
};

struct Finding {
	VerdictKind kind = VerdictKind::stale_reuse;
	Confidence confidence = Confidence::certain;
	std::string inferred;
	Nanoseconds time{};
	Evidence evidence;
	bool counts_when_agreed = false; ///< likely by itself; several that agree are a timeout
};

using Rule = std::optional<Finding> (*)(const Situation&);

/// On event peer_fin, in ESTABLISHED, and on event end by an RST there, for active openers: see end_table.hpp.
[[nodiscard]] std::optional<Finding> judge_end(const Situation& situation);
/// On an end that we brought about.
[[nodiscard]] std::span<const Rule> rules_at_abort();
/// When a late write has settled, for active openers: see late_table.hpp.
[[nodiscard]] std::optional<Finding> judge_late_write(const Situation& situation);
/// On the end of a connection with a late write, for passive openers.
[[nodiscard]] std::span<const Rule> rules_at_passive_end();

/// On event scan: the socket waits for its application.
[[nodiscard]] std::span<const Rule> rules_at_scan();
/// On event retransmit: nothing of the flight was acknowledged.
[[nodiscard]] std::span<const Rule> rules_at_retransmission();
/// On an end by a timer.
[[nodiscard]] std::span<const Rule> rules_at_timeout();

[[nodiscard]] std::optional<Finding> first_finding(std::span<const Rule> rules,
                                                   const Situation& situation);

/// The verdict on this FIN may still turn out to be an early response: the response has not been read
/// and our last send is recent.
[[nodiscard]] bool may_become_early_response(const Connection& connection, Nanoseconds tick);

/// The late write was none of a request, but frames of HTTP/2 that ask for nothing: flow control while an answer is
/// read, mostly. Over TLS only their length tells, and that the peer closed amid an exchange.
[[nodiscard]] bool is_flow_control(const Situation& situation);

std::optional<Finding> dirty_close(const Situation& situation);

std::optional<Finding> close_wait_leak(const Situation& situation);
std::optional<Finding> dirty_idle(const Situation& situation);
std::optional<Finding> silent_drop(const Situation& situation);
/// The retransmission that would have told it was not reported.
std::optional<Finding> silent_drop_by_timeout(const Situation& situation);
std::optional<Finding> silent_drop_by_reset(const Situation& situation);
std::optional<Finding> peer_unresponsive(const Situation& situation);

std::optional<Finding> passive_farewell(const Situation& situation);
std::optional<Finding> half_close_response(const Situation& situation);
std::optional<Finding> abandoned_response(const Situation& situation);

/// An idle_close far sooner than the peer usually closes. Null: nothing is known of the peer.
[[nodiscard]] bool is_early_idle_close(const Finding& finding, const Peer* peer);
/// On an idle close by FIN.
std::optional<Finding> keepalive_ineffective(const Situation& situation);
/// On event reuse, after the peer was told of it.
std::optional<Finding> pool_mismatch(const Situation& situation, const Peer& peer);
/// On any event with a view.
std::optional<Finding> keepalive_late(const Situation& situation, const Peer& peer);

} // namespace stalesock
