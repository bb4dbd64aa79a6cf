// SPDX-License-Identifier: Apache-2.0
#include "support/raw_record.hpp"

#include "stalesock/event.h"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>

namespace stalesock::test {

namespace {

std::uint32_t flags_of(const Event& event) {
	std::uint32_t flags = 0;
	const auto add = [&flags](bool wanted, std::uint32_t flag) { flags |= wanted ? flag : 0; };
	add(event.actor.has_value(), STALESOCK_F_OWNED);
	add(event.peer_fin_seen, STALESOCK_F_DONE);
	add(event.orphan, STALESOCK_F_DEAD);
	add(event.keepalive, STALESOCK_F_KEEPALIVE);
	add(event.inherited_backlog, STALESOCK_F_PASSIVE);
	add(event.peek, STALESOCK_F_PEEK);
	add(event.destroyed, STALESOCK_F_DESTROYED);
	add(event.late.has_value(), STALESOCK_F_LATE);
	add(event.late && event.late->read_afterwards, STALESOCK_F_LATE_READ);
	add(event.late && event.late->continued, STALESOCK_F_LATE_CONTINUED);
	add(event.late && event.late->begin_seen, STALESOCK_F_LATE_BEGUN);
	return flags;
}

void put_address(__u8 (&to)[16], const Endpoint& endpoint, bool ipv6) {
	const auto& bytes = endpoint.address.bytes;
	std::copy(ipv6 ? bytes.begin() : bytes.begin() + 12, bytes.end(), std::begin(to));
}

stalesock_event head_of(const Event& event) {
	stalesock_event record{};
	const bool ipv6 = event.ipv6_socket || !event.remote.address.is_ipv4();
	record.time_ns = static_cast<__u64>(event.time.count());
	record.cookie = event.cookie;
	record.cgroup_id = event.cgroup_id;
	record.netns = event.netns;
	record.flags = flags_of(event);
	record.error = event.error;
	record.kind = static_cast<__u16>(static_cast<unsigned>(event.kind) + STALESOCK_OPEN);
	record.family = ipv6 ? AF_INET6 : AF_INET;
	record.local_port = event.local.port;
	record.remote_port = event.remote.port;
	record.old_state = static_cast<__u8>(event.old_state);
	record.new_state = static_cast<__u8>(event.new_state);
	record.shutdown = event.shutdown;
	put_address(record.local, event.local, ipv6);
	put_address(record.remote, event.remote, ipv6);
	if (event.actor) {
		record.pid = static_cast<__u32>(event.actor->pid);
		event.actor->command.copy(record.command, sizeof(record.command) - 1);
	}
	return record;
}

void put_exchange(stalesock_exchange& record, const Exchange& exchange) {
	record.turn_write_seq = exchange.turn_write_seq;
	record.turn_rcv_nxt = exchange.turn_rcv_nxt;
	record.turn_age_ticks = exchange.turn_age_ticks;
	record.turn_pid = static_cast<__u32>(exchange.turn_pid);
	record.turns = exchange.turns;
	record.send_rcv_nxt = exchange.send_rcv_nxt;
	record.send_copied_seq = exchange.send_copied_seq;
	record.lone_sends = exchange.lone_sends;
	record.read_seq = exchange.read_seq;
	record.read_rcv_nxt = exchange.read_rcv_nxt;
	record.read_age_ticks = exchange.read_age_ticks;
	record.pauses = exchange.pauses;
	record.words_seq = exchange.words_seq;
	record.words_pause_ticks = exchange.words_pause_ticks;
}

void put_view(stalesock_event_full& record, const SocketView& view) {
	record.clock_us = view.clock_us;
	record.first_tx_us = view.first_tx_us;
	record.delivered_us = view.delivered_us;
	record.delivered_tx_us = view.delivered_tx_us;
	record.last_tx_ns = view.last_tx_ns;
	record.bytes_sent = view.bytes_sent;
	record.bytes_received = view.bytes_received;
	record.write_seq = view.write_seq;
	record.snd_una = view.snd_una;
	record.rcv_nxt = view.rcv_nxt;
	record.copied_seq = view.copied_seq;
	record.rcv_wup = view.rcv_wup;
	record.send_age_ticks = view.send_age_ticks;
	record.receive_age_ticks = view.receive_age_ticks;
	record.ack_age_ticks = view.ack_age_ticks;
	record.srtt_us = view.srtt_us;
	record.bytes_acked = view.bytes_acked;
	record.head.flags |= view.sends_seen ? STALESOCK_F_SENDS_SEEN : 0;
	record.head.flags |= view.receives_seen ? STALESOCK_F_RECEIVES_SEEN : 0;
	if (view.exchange) {
		record.head.flags |= STALESOCK_F_EXCHANGE;
		put_exchange(record.exchange, *view.exchange);
	}
}

void put_late(stalesock_event_late& record, const LateWrite& late) {
	record.fin_ns = static_cast<__u64>(late.fin_time.value_or(Nanoseconds{}).count());
	record.late_ns = static_cast<__u64>(late.time.count());
	record.late_bytes = static_cast<__u32>(late.bytes);
	record.late_bytes_high = static_cast<__u32>(late.bytes >> 32U);
	record.late_unread = late.unread;
	record.late_copied_seq = late.copied_seq;
	record.late_writes = late.writes;
	record.full.late_head = STALESOCK_HEAD_OTHER;
	if (late.writer) {
		record.late_pid = static_cast<__u32>(late.writer->pid);
		late.writer->command.copy(record.late_command, sizeof(record.late_command) - 1);
	}
}

template <typename Record> Bytes bytes_of(const Record& record) {
	Bytes bytes(sizeof(record));
	std::memcpy(bytes.data(), &record, sizeof(record));
	return bytes;
}

} // namespace

Bytes raw_record(const Event& event) {
	stalesock_event_late record{};
	stalesock_event_full& full = record.full;
	full.head = head_of(event);
	if (!event.view) {
		full.head.size = sizeof(full.head);
		full.head.write_seq = event.write_seq.value_or(0);
		full.head.copied_seq = event.copied_seq.value_or(0);
		return bytes_of(full.head);
	}
	put_view(full, *event.view);
	if (!event.late) {
		full.head.size = sizeof(full);
		return bytes_of(full);
	}
	full.head.size = sizeof(record);
	put_late(record, *event.late);
	return bytes_of(record);
}

} // namespace stalesock::test
