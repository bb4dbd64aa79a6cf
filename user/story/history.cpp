// SPDX-License-Identifier: Apache-2.0
#include "story/history.hpp"

#include <algorithm>
#include <utility>

namespace stalesock {

namespace {

bool tells_something(EventKind kind) {
	switch (kind) {
	case EventKind::peer_fin:
	case EventKind::late_write: // kept as PastWrite
	case EventKind::eof_read:
	case EventKind::close:
	case EventKind::end:
	case EventKind::released:
	case EventKind::keepalive_probe:
	case EventKind::retransmit: return true;
	case EventKind::open: // a verdict knows the age
	case EventKind::inventory:
	case EventKind::reuse: // too many; a verdict that needs one has it as its evidence
	case EventKind::scan:
	case EventKind::refused_write: // a verdict has it as its evidence
	case EventKind::owner: return false;
	}
	return false;
}

PastEvent past(const Event& event) {
	PastEvent result;
	result.time = result.last = event.time;
	result.error = event.error;
	result.kind = event.kind;
	result.old_state = event.old_state;
	result.shutdown = event.shutdown;
	result.peek = event.peek;
	result.fin_seen = event.peer_fin_seen;
	if (event.view) {
		const std::uint32_t unread = event.view->rcv_nxt - event.view->copied_seq;
		result.unread = unread - (event.peer_fin_seen && unread > 0 ? 1U : 0U);
	}
	if (event.actor) {
		result.pid = event.actor->pid;
		const std::string& command = event.actor->command;
		std::copy_n(command.begin(), std::min(command.size(), result.command.size()),
		            result.command.begin());
	}
	return result;
}

bool is_more_of(const PastEvent& newer, const PastEvent& older) {
	const bool comes_in_rows = newer.kind == EventKind::keepalive_probe ||
	                           newer.kind == EventKind::retransmit ||
	                           newer.kind == EventKind::eof_read;
	return comes_in_rows && newer.kind == older.kind && newer.peek == older.peek &&
	       newer.pid == older.pid;
}

void keep(ConnectionHistory& connection, const PastEvent& event) {
	std::vector<PastEvent>& events = connection.events;
	if (!events.empty() && is_more_of(event, events.back())) {
		events.back().last = event.time;
		events.back().count++;
		return;
	}
	if (events.size() >= History::most_events) {
		events.erase(events.begin() + History::most_events / 2);
		connection.left_out++;
	}
	events.push_back(event);
}

PastWrite past(const LateWrite& late) {
	return {late.time, late.time_known, late.fin_time, late.bytes, late.writer};
}

} // namespace

std::string_view PastEvent::actor() const {
	const auto* const end = std::find(command.begin(), command.end(), '\0');
	return {command.data(), static_cast<std::size_t>(end - command.begin())};
}

History::History(std::size_t limit) : limit_(std::max<std::size_t>(limit, 1)) {}

void History::note(const Event& event) {
	if (!tells_something(event.kind)) {
		return;
	}
	const auto found = connections_.find(event.cookie);
	const bool only_ends = event.destroyed || event.kind == EventKind::released;
	if (only_ends && found == connections_.end()) {
		return;
	}
	ConnectionHistory& connection =
		found == connections_.end() ? insert(event.cookie) : found->second;
	if (event.late) {
		connection.write = past(*event.late);
	}
	if (!event.destroyed && event.kind != EventKind::late_write) { // an end was told before
		keep(connection, past(event));
	}
}

const ConnectionHistory* History::find(std::uint64_t cookie) const {
	const auto found = connections_.find(cookie);
	return found == connections_.end() ? nullptr : &found->second;
}

ConnectionHistory& History::insert(std::uint64_t cookie) {
	if (connections_.size() >= limit_) {
		connections_.erase(order_.front());
		order_.pop_front();
		evicted_++;
	}
	order_.push_back(cookie);
	return connections_[cookie];
}

} // namespace stalesock
