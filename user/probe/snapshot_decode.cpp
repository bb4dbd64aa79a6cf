// SPDX-License-Identifier: Apache-2.0
#include "probe/snapshot_decode.hpp"

#include "stalesock/snapshot.h"

#include <fstream>
#include <string>

namespace stalesock {

namespace {

/// One number; 0 when it cannot be read.
std::uint64_t read_setting(const char* name) {
	std::ifstream file(std::string("/proc/sys/net/ipv4/") + name);
	std::uint64_t value = 0;
	file >> value;
	return value;
}

/// "TCP: inuse 4 orphan 0 tw 2 alloc 7 mem 1"
std::size_t count_sockets() {
	std::ifstream file("/proc/thread-self/net/sockstat");
	std::string word;
	std::size_t in_use = 0;
	std::size_t waiting = 0;
	while (file >> word) {
		if (word == "inuse" && in_use == 0) {
			file >> in_use;
		} else if (word == "tw") {
			file >> waiting;
			break;
		}
	}
	return in_use + waiting;
}

Address address_of(std::uint16_t family, const std::uint8_t (&bytes)[16]) {
	constexpr std::uint16_t af_inet = 2;
	if (family != af_inet) {
		return address_from_ipv6(bytes);
	}
	return address_from_ipv4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

TimerKind timer_kind(std::uint8_t value) {
	switch (value) {
	case STALESOCK_TIMER_RETRANSMIT: return TimerKind::retransmit;
	case STALESOCK_TIMER_KEEPALIVE: return TimerKind::keepalive;
	case STALESOCK_TIMER_TIMEWAIT: return TimerKind::time_wait;
	case STALESOCK_TIMER_PERSIST: return TimerKind::persist;
	default: return TimerKind::none;
	}
}

TcpState state_of(std::uint8_t value) {
	constexpr auto last = static_cast<std::uint8_t>(TcpState::new_syn_recv);
	return value <= last ? static_cast<TcpState>(value) : TcpState::unknown;
}

} // namespace

void decode(const stalesock_socket& record, const NamespaceFacts& place, Nanoseconds tick,
            SocketEntry& entry) {
	entry.cookie = record.cookie;
	entry.bytes_sent = record.bytes_sent;
	entry.bytes_received = record.bytes_received;
	entry.send_age = tick * record.send_age_ticks;
	entry.receive_age = tick * record.receive_age_ticks;
	entry.ack_age = tick * record.ack_age_ticks;
	entry.transmit_age = std::chrono::milliseconds(record.transmit_age_ms);
	entry.timer = tick * record.timer_ticks;
	entry.keepalive_timer = tick * record.keepalive_timer_ticks;
	entry.keepalive_idle = record.keepalive_time_ticks == 0 ? place.keepalive_idle
	                                                        : tick * record.keepalive_time_ticks;
	entry.keepalive_interval = record.keepalive_interval_ticks == 0
	                               ? place.keepalive_interval
	                               : tick * record.keepalive_interval_ticks;
	entry.netns = place.inode;
	entry.unread = record.unread;
	entry.unacked = record.unacked;
	entry.retransmits = record.retransmits;
	entry.round_trip_us = record.srtt_us;
	entry.local = {address_of(record.family, record.local), record.local_port};
	entry.remote = {address_of(record.family, record.remote), record.remote_port};
	entry.state = state_of(record.state);
	entry.timer_kind = timer_kind(record.timer);
	entry.timer_tries = record.timer_tries;
	entry.keepalive_probes =
		record.keepalive_probes == 0 ? place.keepalive_probes : record.keepalive_probes;
	entry.probes_out = record.probes_out;
	entry.ipv6_socket = record.family == 10;
	entry.full = (record.flags & STALESOCK_S_FULL) != 0;
	entry.peer_fin_seen = (record.flags & STALESOCK_S_DONE) != 0;
	entry.orphan = (record.flags & STALESOCK_S_DEAD) != 0;
	entry.keepalive = (record.flags & STALESOCK_S_KEEPALIVE) != 0;
	entry.keepalive_armed = record.keepalive_armed != 0;
	entry.inherited_backlog = (record.flags & STALESOCK_S_PASSIVE) != 0;
}

NamespaceFacts read_namespace_facts(std::uint32_t inode) {
	NamespaceFacts facts;
	facts.inode = inode;
	facts.keepalive_idle = std::chrono::seconds(read_setting("tcp_keepalive_time"));
	facts.keepalive_interval = std::chrono::seconds(read_setting("tcp_keepalive_intvl"));
	facts.keepalive_probes = static_cast<std::uint8_t>(read_setting("tcp_keepalive_probes"));
	facts.sockets = count_sockets();
	return facts;
}

} // namespace stalesock
