// SPDX-License-Identifier: Apache-2.0
#include "records.hpp"

#include "stalesock/event.h"

#include <cstring>
#include <string_view>
#include <sys/socket.h>

namespace bench {

namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t closed = 7;
constexpr std::uint8_t close_wait = 8;
constexpr std::uint8_t last_ack = 9;

constexpr std::uint64_t start_ns = 1'000'000'000'000;
/// Open connections at any time.
constexpr std::uint32_t window = 2'000;

struct Step {
	std::uint8_t kind;
	std::uint8_t old_state;
	std::uint8_t new_state;
	bool passive;
};

constexpr Step ordinary[] = {
	{STALESOCK_OPEN, closed, syn_sent, false},
	{STALESOCK_OPEN, syn_recv, established, true},
	{STALESOCK_CLOSE, established, fin_wait1, false},
	{STALESOCK_PEER_FIN, established, close_wait, true},
	{STALESOCK_RELEASED, close_wait, last_ack, true},
};
constexpr Step closed_while_idle[] = {
	{STALESOCK_OPEN, closed, syn_sent, false},
	{STALESOCK_PEER_FIN, established, close_wait, false},
	{STALESOCK_RELEASED, close_wait, last_ack, false},
};
constexpr Step written_late[] = {
	{STALESOCK_OPEN, closed, syn_sent, false},
	{STALESOCK_PEER_FIN, established, close_wait, false},
	{STALESOCK_LATE_WRITE, closed, closed, false},
	{STALESOCK_END, close_wait, closed, false},
};

std::span<const Step> life_of(std::uint32_t connection) {
	const std::uint32_t place = connection % 1'000;
	if (place >= 990) {
		return written_late;
	}
	if (place >= 970) {
		return closed_while_idle;
	}
	return ordinary;
}

constexpr std::size_t longest_life = 5;

bool is_short(std::uint8_t kind) {
	return kind == STALESOCK_OPEN || kind == STALESOCK_RELEASED;
}

void set_address(__u8 (&address)[16], std::uint32_t value) {
	std::memcpy(static_cast<void*>(address), &value, sizeof(value));
}

void set_command(char (&command)[STALESOCK_COMMAND_LENGTH], std::string_view text) {
	std::memcpy(static_cast<void*>(command), text.data(), text.size());
}

stalesock_event head_of(std::uint32_t connection, const Step& step, std::uint64_t time_ns) {
	stalesock_event head{};
	head.time_ns = time_ns;
	head.cookie = 2ULL * connection + (step.passive ? 2 : 1);
	head.netns = 4'026'531'840;
	head.kind = step.kind;
	head.size = sizeof(stalesock_event);
	head.family = AF_INET;
	head.old_state = step.old_state;
	head.new_state = step.new_state;
	head.flags = step.passive ? STALESOCK_F_PASSIVE : 0;
	head.local_port = static_cast<std::uint16_t>(20'000 + connection % 40'000);
	head.remote_port = 443;
	set_address(head.local, 0x0100000a);
	set_address(head.remote, 0x0200000a + (connection << 24));
	if (step.new_state == syn_sent || step.kind == STALESOCK_CLOSE ||
	    step.kind == STALESOCK_RELEASED) {
		head.flags |= STALESOCK_F_OWNED;
		head.pid = 1'000 + connection % 50;
		set_command(head.command, "worker");
	}
	if (step.kind == STALESOCK_CLOSE || step.kind == STALESOCK_RELEASED) {
		head.shutdown = 3;
	}
	if (step.old_state == close_wait || step.new_state == close_wait) {
		head.flags |= STALESOCK_F_DONE;
	}
	return head;
}

stalesock_event_full full_of(std::uint32_t connection, const Step& step, std::uint64_t time_ns) {
	stalesock_event_full full{};
	full.head = head_of(connection, step, time_ns);
	full.head.size = sizeof(full);
	full.clock_us = time_ns / 1'000;
	full.first_tx_us = full.clock_us - 1'500'000;
	full.delivered_us = full.clock_us - 1'499'000;
	full.last_tx_ns = 1'000 * full.first_tx_us;
	full.bytes_sent = 64;
	full.bytes_received = 64;
	full.write_seq = full.snd_una = 5'064;
	full.rcv_nxt = 9'064;
	full.copied_seq = 9'064;
	full.rcv_wup = 9'000;
	full.send_age_ticks = 375;
	full.receive_age_ticks = 374;
	full.srtt_us = 200;
	if ((full.head.flags & STALESOCK_F_DONE) != 0) {
		full.rcv_nxt++;
	}
	return full;
}

bool is_late(const Step& step) {
	return step.kind == STALESOCK_LATE_WRITE || step.kind == STALESOCK_END;
}

stalesock_event_late late_of(std::uint32_t connection, const Step& step, std::uint64_t time_ns) {
	stalesock_event_late late{};
	late.full = full_of(connection, step, time_ns);
	late.full.head.size = sizeof(late);
	late.full.head.flags |= STALESOCK_F_LATE | STALESOCK_F_DONE;
	late.full.head.error = step.kind == STALESOCK_END ? 32 : 0;
	late.full.late_head = STALESOCK_HEAD_OTHER;
	late.late_ns = time_ns - 500;
	late.late_bytes = 64;
	late.late_pid = 1'000 + connection % 50;
	late.late_unread = 1;
	late.late_copied_seq = late.full.copied_seq;
	late.late_writes = 1;
	set_command(late.late_command, "worker");
	return late;
}

void append(Records& records, const void* record, std::size_t size) {
	const auto* bytes = static_cast<const std::byte*>(record);
	records.bytes.insert(records.bytes.end(), bytes, bytes + size);
	records.sizes.push_back(static_cast<std::uint32_t>(size));
}

void append(Records& records, std::uint32_t connection, const Step& step, std::uint64_t time_ns) {
	if (is_short(step.kind)) {
		const stalesock_event head = head_of(connection, step, time_ns);
		append(records, &head, sizeof(head));
	} else if (is_late(step)) {
		const stalesock_event_late late = late_of(connection, step, time_ns);
		append(records, &late, sizeof(late));
	} else {
		const stalesock_event_full full = full_of(connection, step, time_ns);
		append(records, &full, sizeof(full));
	}
}

} // namespace

/// In every row of the window one step of each connection: many are under way at once.
Records make_records(std::uint32_t count) {
	Records records;
	records.bytes.reserve(count * std::size_t{180});
	std::uint64_t time_ns = start_ns;
	for (std::uint32_t first = 0; records.sizes.size() < count; first += window) {
		for (std::size_t step = 0; step < longest_life; step++) {
			for (std::uint32_t i = 0; i < window; i++) {
				const std::span<const Step> life = life_of(first + i);
				if (step < life.size()) {
					append(records, first + i, life[step], time_ns += 500);
				}
			}
		}
	}
	return records;
}

Records make_opens(std::uint32_t count) {
	Records records;
	records.bytes.reserve(count * sizeof(stalesock_event));
	records.sizes.reserve(count);
	std::uint64_t time_ns = start_ns;
	for (std::uint32_t i = 0; i < count; i++) {
		append(records, i, ordinary[0], time_ns += 1'000);
	}
	return records;
}

} // namespace bench
