// SPDX-License-Identifier: Apache-2.0
#include "probe/decode.hpp"

#include "stalesock/event.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <sys/socket.h>

namespace stalesock {

namespace {

struct KindLayout {
	EventKind kind;
	std::size_t size;
};

/// Indexed by STALESOCK_* kind; 0 is not a kind.
constexpr std::array<KindLayout, 15> layouts{{
	{EventKind::open, 0},
	{EventKind::open, sizeof(stalesock_event)},
	{EventKind::peer_fin, sizeof(stalesock_event_full)},
	{EventKind::late_write, sizeof(stalesock_event_full)},
	{EventKind::eof_read, sizeof(stalesock_event)},
	{EventKind::close, sizeof(stalesock_event_full)},
	{EventKind::end, sizeof(stalesock_event_full)},
	{EventKind::keepalive_probe, sizeof(stalesock_event)},
	{EventKind::retransmit, sizeof(stalesock_event_full)},
	{EventKind::inventory, sizeof(stalesock_event_full)},
	{EventKind::owner, sizeof(stalesock_event)},
	{EventKind::released, sizeof(stalesock_event)},
	{EventKind::reuse, sizeof(stalesock_event_full)},
	{EventKind::scan, sizeof(stalesock_event_full)},
	{EventKind::refused_write, sizeof(stalesock_event)},
}};
static_assert(STALESOCK_OPEN == 1 && STALESOCK_REFUSED_WRITE == layouts.size() - 1);

constexpr std::uint8_t highest_state = static_cast<std::uint8_t>(TcpState::new_syn_recv);

bool has(std::uint32_t flags, std::uint32_t flag) {
	return (flags & flag) != 0;
}

Address address_of(std::uint16_t family, const __u8 (&bytes)[16]) {
	if (family == AF_INET6) {
		return address_from_ipv6(bytes);
	}
	return address_from_ipv4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

Actor actor_of(std::uint32_t pid, const char (&command)[STALESOCK_COMMAND_LENGTH]) {
	return {static_cast<std::int32_t>(pid),
	        std::string(command, strnlen(command, sizeof(command)))};
}

PayloadHead head_of(std::uint8_t head) {
	switch (head) {
	case STALESOCK_HEAD_TLS_ALERT: return PayloadHead::tls_alert;
	case STALESOCK_HEAD_TLS_DATA:
	case STALESOCK_HEAD_TLS_CONTROL: return PayloadHead::tls_data;
	case STALESOCK_HEAD_GOODBYE: return PayloadHead::goodbye;
	case STALESOCK_HEAD_HTTP: return PayloadHead::http_request;
	case STALESOCK_HEAD_OTHER: return PayloadHead::other;
	case STALESOCK_HEAD_CONTROL: return PayloadHead::http2_control;
	default: return PayloadHead::unknown;
	}
}

void fill_head(Event& event, const stalesock_event& record) {
	event.time = Nanoseconds(record.time_ns);
	event.cookie = record.cookie;
	event.cgroup_id = record.cgroup_id;
	event.netns = record.netns;
	event.error = record.error;
	event.kind = layouts[record.kind].kind;
	event.old_state = static_cast<TcpState>(record.old_state);
	event.new_state = static_cast<TcpState>(record.new_state);
	event.shutdown = record.shutdown;
	event.ipv6_socket = record.family == AF_INET6;
	event.peer_fin_seen = has(record.flags, STALESOCK_F_DONE);
	event.orphan = has(record.flags, STALESOCK_F_DEAD);
	event.keepalive = has(record.flags, STALESOCK_F_KEEPALIVE);
	event.inherited_backlog = has(record.flags, STALESOCK_F_PASSIVE);
	event.upper_layer = has(record.flags, STALESOCK_F_ULP);
	event.peek = has(record.flags, STALESOCK_F_PEEK);
	event.eof_read = has(record.flags, STALESOCK_F_EOF_READ);
	event.eof_peeked = has(record.flags, STALESOCK_F_EOF_PEEKED);
	event.destroyed = has(record.flags, STALESOCK_F_DESTROYED);
	event.bare_rst = has(record.flags, STALESOCK_F_BARE_RST);
	event.farewell = has(record.flags, STALESOCK_F_FAREWELL);
	event.unaccepted = has(record.flags, STALESOCK_F_UNACCEPTED);
	event.unanswered = has(record.flags, STALESOCK_F_UNANSWERED);
	event.local = {address_of(record.family, record.local), record.local_port};
	event.remote = {address_of(record.family, record.remote), record.remote_port};
	event.actor.reset();
	event.view.reset();
	event.late.reset();
	event.write_seq.reset();
	event.copied_seq.reset();
	if (record.kind == STALESOCK_REFUSED_WRITE ||
	    (record.kind == STALESOCK_RELEASED && event.new_state == TcpState::last_ack)) {
		event.write_seq = record.write_seq;
		event.copied_seq = record.copied_seq;
	}
	if (has(record.flags, STALESOCK_F_OWNED)) {
		event.actor = actor_of(record.pid, record.command);
	}
}

Exchange exchange_of(const stalesock_exchange& record, std::uint32_t flags) {
	return {
		.turn_write_seq = record.turn_write_seq,
		.turn_rcv_nxt = record.turn_rcv_nxt,
		.turn_age_ticks = record.turn_age_ticks,
		.turn_pid = static_cast<std::int32_t>(record.turn_pid),
		.turns = record.turns,
		.send_rcv_nxt = record.send_rcv_nxt,
		.send_copied_seq = record.send_copied_seq,
		.lone_sends = record.lone_sends,
		.read_seq = record.read_seq,
		.read_rcv_nxt = record.read_rcv_nxt,
		.read_age_ticks = record.read_age_ticks,
		.pauses = record.pauses,
		.words_seq = record.words_seq,
		.words_pause_ticks = record.words_pause_ticks,
		.rest_of_http = has(flags, STALESOCK_F_HTTP_REST),
	};
}

SocketView view_of(const stalesock_event_full& record) {
	return {
		.clock_us = record.clock_us,
		.first_tx_us = record.first_tx_us,
		.delivered_us = record.delivered_us,
		.delivered_tx_us = record.delivered_tx_us,
		.last_tx_ns = record.last_tx_ns,
		.bytes_sent = record.bytes_sent,
		.bytes_received = record.bytes_received,
		.write_seq = record.write_seq,
		.snd_una = record.snd_una,
		.rcv_nxt = record.rcv_nxt,
		.copied_seq = record.copied_seq,
		.rcv_wup = record.rcv_wup,
		.send_age_ticks = record.send_age_ticks,
		.receive_age_ticks = record.receive_age_ticks,
		.ack_age_ticks = record.ack_age_ticks,
		.srtt_us = record.srtt_us,
		.retransmits = record.retransmits,
		.keepalive_time_ticks = record.keepalive_time_ticks,
		.keepalive_interval_ticks = record.keepalive_interval_ticks,
		.user_timeout_ms = record.user_timeout_ms,
		.echoed_ms = record.echoed_ms,
		.receive_window = record.receive_window,
		.bytes_acked = record.bytes_acked,
		.exchange = has(record.head.flags, STALESOCK_F_EXCHANGE)
	                    ? std::optional(exchange_of(record.exchange, record.head.flags))
	                    : std::nullopt,
		.keepalive_probes = record.keepalive_probes,
		.probes_out = record.probes_out,
		.sends_seen = has(record.head.flags, STALESOCK_F_SENDS_SEEN),
		.receives_seen = has(record.head.flags, STALESOCK_F_RECEIVES_SEEN),
	};
}

LateWrite late_of(const stalesock_event_late& record) {
	const stalesock_event_full& full = record.full;
	const std::uint32_t flags = full.head.flags;
	LateWrite late;
	if (record.fin_ns != 0) {
		late.fin_time = Nanoseconds(record.fin_ns);
	}
	late.time_known = record.late_ns != 0;
	late.time = Nanoseconds(late.time_known ? record.late_ns : full.head.time_ns);
	late.begin_seen = has(flags, STALESOCK_F_LATE_BEGUN);
	late.kernel_tls = has(flags, STALESOCK_F_ULP);
	late.bytes = std::uint64_t{record.late_bytes_high} << 32U | record.late_bytes;
	late.unread = late.time_known ? record.late_unread : full.rcv_nxt - full.copied_seq;
	late.copied_seq = late.time_known ? record.late_copied_seq : full.copied_seq;
	late.writes = record.late_writes;
	late.head = head_of(full.late_head);
	late.record_length = record.late_record_length;
	late.control_sized = full.late_head == STALESOCK_HEAD_TLS_CONTROL;
	late.read_afterwards = has(flags, STALESOCK_F_LATE_READ);
	late.continued = has(flags, STALESOCK_F_LATE_CONTINUED);
	if (record.late_pid != 0) {
		late.writer = actor_of(record.late_pid, record.late_command);
	}
	return late;
}

DecodeStatus check(const stalesock_event& head, std::size_t length) {
	if (head.kind == 0 || head.kind >= layouts.size()) {
		return DecodeStatus::unknown_kind;
	}
	std::size_t expected = layouts[head.kind].size;
	if (expected == sizeof(stalesock_event_full) && has(head.flags, STALESOCK_F_LATE)) {
		expected = sizeof(stalesock_event_late);
	}
	if (length < expected || head.size < expected) {
		return DecodeStatus::short_record;
	}
	if (length > expected || head.size > expected) {
		return DecodeStatus::oversized_record;
	}
	if ((head.family != AF_INET && head.family != AF_INET6) || head.old_state > highest_state ||
	    head.new_state > highest_state) {
		return DecodeStatus::bad_field;
	}
	return DecodeStatus::ok;
}

} // namespace

DecodeStatus decode(std::span<const std::byte> record, Event& event) {
	stalesock_event_late whole{};
	stalesock_event& head = whole.full.head;
	if (record.size() < sizeof(head)) {
		return DecodeStatus::short_record;
	}
	std::memcpy(&head, record.data(), sizeof(head));
	const DecodeStatus status = check(head, record.size());
	if (status != DecodeStatus::ok) {
		return status;
	}
	fill_head(event, head);
	std::memcpy(&whole, record.data(), record.size());
	if (record.size() >= sizeof(whole.full)) {
		event.view = view_of(whole.full);
	}
	if (record.size() == sizeof(whole)) {
		event.late = late_of(whole);
	}
	return DecodeStatus::ok;
}

} // namespace stalesock
