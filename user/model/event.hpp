// SPDX-License-Identifier: Apache-2.0
// What the kernel reported, as plain values: decoded, checked, unit-carrying.
#pragma once

#include "model/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stalesock {

/// Boot time (CLOCK_BOOTTIME) and durations alike. No module below app/ reads a clock.
using Nanoseconds = std::chrono::nanoseconds;

/// Values are the kernel's (include/net/tcp_states.h). TIME_WAIT is never entered by a transition
/// event: the kernel moves to a minisock and reports CLOSE.
enum class TcpState : std::uint8_t {
	unknown = 0,
	established = 1,
	syn_sent = 2,
	syn_recv = 3,
	fin_wait1 = 4,
	fin_wait2 = 5,
	time_wait = 6,
	close = 7,
	close_wait = 8,
	last_ack = 9,
	listen = 10,
	closing = 11,
	new_syn_recv = 12,
};
/// "ESTABLISHED", "CLOSE_WAIT", ... verbatim.
[[nodiscard]] std::string_view to_string(TcpState state);

enum class Role : std::uint8_t { unknown, active, passive };
[[nodiscard]] std::string_view to_string(Role role);

/// Kinds of event, one for each STALESOCK_* kind of the kernel contract.
enum class EventKind : std::uint8_t {
	open,
	peer_fin,
	late_write,
	eof_read,
	close,
	end,
	keepalive_probe,
	retransmit,
	inventory,
	owner,
	released,
	reuse,
	scan,
	refused_write,
};
/// "open", "peer_fin", ... as `watch --events` prints them.
[[nodiscard]] std::string_view to_string(EventKind kind);

enum class OwnerSource : std::uint8_t { unknown, connect, write, close, scan };
[[nodiscard]] std::string_view to_string(OwnerSource source);

/// Where what is known of a connection comes from.
enum class Sight : std::uint8_t {
	socket,         ///< the kernel's own counters
	wire,           ///< a packet capture taken at this end: what the application did is not in it
	wire_elsewhere, ///< one taken away from this end: when packets came and left is reckoned
};

/// The process an event was seen to come from. The command is the group leader's comm, raw: escape
/// it before a terminal or a log sees it.
struct Actor {
	std::int32_t pid = 0;
	std::string command;
};

/// What the first bytes of a late write were, classified in the kernel.
enum class PayloadHead : std::uint8_t {
	unknown,
	tls_alert,
	tls_data,
	goodbye,
	other,
	http_request,
	http2_control ///< frames that ask for nothing
};
[[nodiscard]] std::string_view to_string(PayloadHead head);
/// TLS 1.3 hides the record type; a record this short holds an alert (2 bytes, content type, tag).
inline constexpr std::uint16_t tls_alert_record = 19;

/// What was seen of the exchange: struct stalesock_exchange. Sequence numbers and ticks as in SocketView. Absent on a
/// connection that was seen from its open: there was one message of its own, before anything was received (an active
/// opener), or one turn (a passive one).
struct Exchange {
	std::uint32_t turn_write_seq = 0; ///< before the first byte of the last turn
	std::uint32_t turn_rcv_nxt = 0;   ///< when it began
	std::uint32_t turn_age_ticks = 0;
	std::int32_t turn_pid = 0;         ///< who began it; 0: not known
	std::uint32_t turns = 0;           ///< only of a connection seen from its open: all
	std::uint32_t send_rcv_nxt = 0;    ///< when the last send began
	std::uint32_t send_copied_seq = 0; ///< likewise
	std::uint32_t lone_sends =
		0; ///< of the last turn: messages after a pause of ours, nothing having come since
	std::uint32_t read_seq = 0;       ///< copied_seq when the last receive ended
	std::uint32_t read_rcv_nxt = 0;   ///< rcv_nxt then
	std::uint32_t read_age_ticks = 0; ///< age of the newest payload that had come by then
	std::uint32_t pauses =
		0; ///< of the peer, amid what it said since the last send began, and ended by a read
	std::uint32_t words_seq =
		0; ///< with pauses: what was read from here on came after the last of them
	std::uint32_t words_pause_ticks = 0; ///< how long that was
	/// The last turn began right after the send before it, and with no method, on a connection that speaks HTTP.
	bool rest_of_http = false;
};

/// What was read from the socket at the moment of the event. Sequence numbers wrap: subtract them
/// only as std::uint32_t. Ages in ticks are jiffies (1/HZ s); clocks named *_us and *_ns are
/// CLOCK_MONOTONIC and only comparable with each other. From a packet capture they count from the epoch, and copied_seq is what the
/// application must have read to behave as it did.
struct SocketView {
	std::uint64_t clock_us = 0;
	std::uint64_t first_tx_us = 0;
	std::uint64_t delivered_us = 0;
	std::uint64_t delivered_tx_us = 0;
	std::uint64_t last_tx_ns = 0;
	std::uint64_t bytes_sent = 0;
	std::uint64_t bytes_received = 0;
	std::uint32_t write_seq = 0;
	std::uint32_t snd_una = 0;
	std::uint32_t rcv_nxt = 0;
	std::uint32_t copied_seq = 0;
	std::uint32_t rcv_wup = 0;
	std::uint32_t send_age_ticks = 0;
	std::uint32_t receive_age_ticks = 0;
	std::uint32_t ack_age_ticks = 0;
	std::uint32_t srtt_us = 0;
	std::uint32_t retransmits = 0;
	std::uint32_t keepalive_time_ticks = 0;
	std::uint32_t keepalive_interval_ticks = 0;
	std::uint32_t user_timeout_ms = 0;
	std::uint32_t echoed_ms = 0;
	std::optional<std::uint32_t> receive_window; ///< what the peer may send; 0: it waits for room
	std::uint64_t bytes_acked = 0;               ///< payload, and an active opener's SYN as one
	std::optional<Exchange> exchange;
	std::uint8_t keepalive_probes = 0;
	std::uint8_t probes_out = 0;
	bool lossy = false;         ///< of a capture that lacks some of its segments
	bool partial = false;       ///< byte counters began in the middle of the connection
	bool sends_seen = false;    ///< what was sent was looked at: a farewell was told as one (reuse)
	bool receives_seen = false; ///< and what was received: an exchange would have been kept
};

/// The late write as the kernel keeps it with the socket.
struct LateWrite {
	std::optional<Nanoseconds> fin_time; ///< boot time; absent when the FIN was not seen by a hook
	Nanoseconds time{}; ///< boot time of the first late write; of its discovery when not known
	bool time_known = true;
	bool begin_seen = true;       ///< before it was queued; otherwise its head is not visible
	bool kernel_tls = false;      ///< the kernel had encrypted it: its head is not visible either
	std::uint64_t bytes = 0;      ///< all bytes queued after the FIN so far
	std::uint32_t unread = 0;     ///< at that time, the FIN counted as one
	std::uint32_t copied_seq = 0; ///< at that time
	std::uint16_t writes = 0;     ///< sends seen after the FIN so far
	PayloadHead head = PayloadHead::unknown;
	std::uint16_t record_length = 0; ///< of the TLS record, for tls_data only
	bool control_sized = false;      ///< tls_data: one record, as long as one of http2_control
	bool read_afterwards = false;    ///< the application read again after its late write
	bool continued = false;          ///< the first late bytes end a send that began before the FIN
	std::optional<Actor> writer;
};

struct Event {
	Nanoseconds time{}; ///< CLOCK_BOOTTIME
	std::uint64_t cookie = 0;
	std::uint64_t cgroup_id = 0; ///< of the actor; 0 when there is none
	std::uint32_t netns = 0;     ///< inode number of the network namespace
	int error = 0;               ///< sk_err as a positive errno, or 0
	EventKind kind = EventKind::open;
	TcpState old_state = TcpState::unknown;
	TcpState new_state = TcpState::unknown;
	std::uint8_t shutdown = 0;      ///< 1 RCV_SHUTDOWN, 2 SEND_SHUTDOWN, 3 both
	bool ipv6_socket = false;       ///< AF_INET6 socket, whatever its addresses
	bool peer_fin_seen = false;     ///< SOCK_DONE
	bool orphan = false;            ///< SOCK_DEAD
	bool keepalive = false;         ///< SO_KEEPALIVE is on
	bool inherited_backlog = false; ///< came from a listener: a passive open
	bool upper_layer = false;       ///< kernel TLS or another upper-layer protocol
	bool peek = false;              ///< eof_read by MSG_PEEK
	bool eof_read = false; ///< full records after the FIN: EOF had been read (before a late write)
	bool eof_peeked = false; ///< the same by MSG_PEEK
	bool destroyed = false;  ///< end from the destruction of the socket
	bool rst_acknowledged =
		false; ///< end: the RST's number covers all that we had sent; only captures show it
	bool bare_rst = false;   ///< end: an RST without timestamps on a connection that uses them
	bool farewell = false;   ///< reuse: what is written is a TLS alert or a protocol's goodbye
	bool unaccepted = false; ///< scan: it lies in its listener's queue
	bool unanswered = false; ///< keepalive_probe: the one before it was not answered
	Sight sight = Sight::socket;
	Endpoint local;
	Endpoint remote;
	std::optional<Actor> actor; ///< only from process context
	/// Only released, with our FIN after the peer's: what tells of a write or an end of file that no hook saw.
	std::optional<std::uint32_t> write_seq;
	std::optional<std::uint32_t> copied_seq;
	std::optional<SocketView> view;
	std::optional<LateWrite> late;
};

} // namespace stalesock
