// SPDX-License-Identifier: Apache-2.0
// What a socket's counters and clocks say. Pure functions; each names the kernel's rule it rests on.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <optional>

namespace stalesock {

/// A close_notify is 24 bytes in TLS 1.3, 31 in TLS 1.2 (RFC 8446, RFC 5246), up to 69 with CBC.
inline constexpr std::uint32_t longest_parting_record = 69;

/// All that a server says as it closes an idle connection: a GOAWAY in HTTP/2 and a close_notify (63 bytes of nginx, 70 of
/// Apache, in TLS 1.3), or a line of text.
inline constexpr std::uint32_t longest_parting_words = 100;

/// Writes this close to each other belong to one request.
inline constexpr Nanoseconds same_request = std::chrono::milliseconds(100);

/// A snapshot with what is needed to read it.
struct Reading {
	const SocketView& view;
	bool fin_received = false; ///< rcv_nxt counts the peer's FIN as one
	bool clock_fresh = false;  ///< taken while TCP processed a segment or a timer: clock_us is now
	Nanoseconds tick{};
};

/// Bytes the application has not read, the FIN not counted.
[[nodiscard]] std::uint32_t unread_bytes(const Reading& reading);

/// Bytes written and not acknowledged. Only before our own FIN, which write_seq counts as one.
[[nodiscard]] std::uint32_t unacked_bytes(const SocketView& view);

/// Nothing of the flight that is out now has been acknowledged, and the flight began when nothing
/// was out: tcp_rate_skb_sent sets both stamps to the same value then, and every delivery moves one. The
/// report of a needless retransmission (D-SACK, RFC 2883) moves it too, without a delivery: then the flight
/// must be younger than the segment delivered last (rack.mstamp).
[[nodiscard]] bool flight_untouched(const SocketView& view);

/// Age of our last send. With a fresh clock exact to the microsecond: when all is acknowledged first_tx_us
/// is the last delivered segment's, in an untouched flight its first one's. Else to the tick, from
/// lsndtime. Jiffies can lag by tens of milliseconds on a virtual machine whose timekeeping CPU was
/// taken away, so they are the second choice. A connection that has sent nothing: the age of its
/// handshake, from which lsndtime counts. Never negative.
[[nodiscard]] Nanoseconds send_age(const Reading& reading);

/// Age of the last payload received, to the tick (lrcvtime), kept within two exact bounds where there
/// are any: not younger than our last segment if that acknowledged everything, not older than the
/// delivery of a write that it answers. A connection that has received nothing: the age of its handshake.
[[nodiscard]] Nanoseconds receive_age(const Reading& reading);

/// Age of our last segment of any kind. Only of a view with a fresh clock.
[[nodiscard]] Nanoseconds transmit_age(const SocketView& view);

/// How long the connection was silent before our last send. From lrcvtime and lsndtime; where payload
/// came after that send, from the send before it (rack.mstamp), for an untouched flight. Before anything was
/// received lrcvtime is the end of the handshake (tcp_finish_connect), and a send before may be the SYN, which
/// is no use of the connection. At least 0.
[[nodiscard]] Nanoseconds gap_before_send(const Reading& reading);

/// How long both sides had been silent when the flight began that is out now and untouched (see above): since the
/// send before it, and since payload was received, or else the handshake. Zero for any other.
[[nodiscard]] Nanoseconds silence_before_flight(const Reading& reading);

/// From the first transmission of that flight to the last time that some of it was sent again. Zero for any other.
[[nodiscard]] Nanoseconds resent_for(const Reading& reading);

/// The connection was used before our last write, or idle for longer than the parts of a request are
/// apart: that write reused it.
[[nodiscard]] bool reused_by_last_write(const Reading& reading);

/// A flight of which nothing was delivered began so soon after the send before it that both may be parts
/// of one request.
[[nodiscard]] bool continues_last_send(const Reading& reading);

/// More lies unread than a parting record: an answer waits for the application.
[[nodiscard]] bool answer_waits(const Reading& reading);

/// The flight followed at once on something received, but long after the send before it: what was received had not
/// been asked for.
[[nodiscard]] bool replied_to_last_words(const Reading& reading);

/// Whether our last write was answered, as far as counters tell. What the peer sent without having seen
/// any of a flight does not answer it; but when that flight continues a send just before it, what waits
/// unread answers the whole, early.
[[nodiscard]] bool answered_since_last_write(const Reading& reading);

/// We had acknowledged all that was received before the peer acknowledged our last write: what was received had been
/// sent before that write arrived, or at least before its last segment did.
[[nodiscard]] bool acknowledged_before_delivery(const Reading& reading);

/// What was received last came some ticks before the peer acknowledged the last of what we wrote: an answer to all of it
/// would have carried that acknowledgement. Only with a fresh clock.
[[nodiscard]] bool received_before_delivery(const Reading& reading);

/// How far the counters settle a question.
enum class Belief : std::uint8_t { no, probably_not, probably, yes };

/// Whether the payload that came last is a parting word (TLS close_notify, an error message), not the
/// answer to our last write. Yes, if we had acknowledged that answer at least `quiet` ago, as our own last
/// segment or the newest one that the peer had seen (RFC 7323 timestamp echo) shows; no, if that echo is
/// younger and more lies unread than parting words, or the application has not read any answer yet. Where the echo
/// cannot tell, probably, if it comes at least `quiet` after the delivery of our last write and lies unread, no longer than
/// parting words, or was read, as long as a close_notify.
[[nodiscard]] Belief only_last_words(const Reading& reading, Nanoseconds quiet);

} // namespace stalesock
