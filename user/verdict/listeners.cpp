// SPDX-License-Identifier: Apache-2.0
#include "verdict/listeners.hpp"

#include "track/exchange.hpp"
#include "verdict/finding.hpp"

#include <algorithm>

namespace stalesock {

namespace {

constexpr std::uint8_t send_shutdown = 2;

bool is_first_fin(const Event& event) {
	if (event.old_state != TcpState::established || !event.view) {
		return false;
	}
	return event.kind == EventKind::peer_fin ||
	       (event.kind == EventKind::close && (event.shutdown & send_shutdown) != 0);
}

} // namespace

std::optional<IdleEnd> idle_end(const Connection& connection, const Event& event,
                                Nanoseconds tick) {
	if (connection.role != Role::passive || connection.role_inferred || !is_first_fin(event)) {
		return std::nullopt;
	}
	const Reading reading = reading_of(event, tick);
	const Nanoseconds idle = send_age(reading);
	if (reading.view.bytes_sent == 0 || unacked_bytes(reading.view) != 0 ||
	    unread_bytes(reading) != 0 || request_pending(reading) ||
	    std::min(idle, receive_age(reading)) < idle_threshold) {
		return std::nullopt;
	}
	return IdleEnd{idle, event.kind == EventKind::peer_fin};
}

Listener& Listeners::seen(const Endpoint& local, std::uint32_t netns, Nanoseconds now) {
	constexpr Nanoseconds aged_every = std::chrono::hours(1);
	Listener& listener = table_.entry_of(peer_key(local, netns));
	listener.last_seen = std::max(listener.last_seen, now);
	if (now - listener.learned_at >= aged_every) {
		age(listener, now);
	}
	return listener;
}

void Listeners::observe(const Connection& connection, const Event& event, Nanoseconds tick) {
	const auto end = idle_end(connection, event, tick);
	if (!end) {
		return;
	}
	Listener& listener = seen(connection.local(), connection.netns, event.time);
	add_to(end->by_client ? listener.client_idle_closes : listener.idle_closes);
	Observations& times = end->by_client ? listener.client_idle_times : listener.idle_times;
	if (times.add(end->idle, event.time)) {
		relearn(listener);
	}
	if (event.actor) {
		listener.command = CommandName{event.actor->command};
	}
}

void Listeners::note_reuse(const Endpoint& local, std::uint32_t netns, Nanoseconds gap,
                           Nanoseconds now) {
	Listener& listener = seen(local, netns, now);
	if (listener.idle_timeout && is_near_miss(gap, listener.idle_timeout->lowest)) {
		add_to(listener.near_misses);
	}
	keep_longest(listener.longest_reuse, {gap, now, {}});
}

const Listener* Listeners::find(const Endpoint& local, std::uint32_t netns) const {
	return table_.find(peer_key(local, netns));
}

void Listeners::merge(const Listener& other) {
	stalesock::merge(table_.entry_of(other.key), other);
}

void Listeners::age_all(Nanoseconds now) {
	table_.for_each([&](Listener& listener) { age(listener, now); });
}

} // namespace stalesock
