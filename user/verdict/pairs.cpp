// SPDX-License-Identifier: Apache-2.0
#include "verdict/pairs.hpp"

#include "track/reading.hpp"
#include "verdict/peer.hpp"

#include <absl/hash/hash.h>
#include <algorithm>
#include <string>

namespace stalesock {

namespace {

constexpr std::uint8_t both_directions = 3; // RCV_SHUTDOWN | SEND_SHUTDOWN

std::uint64_t key_of(const Endpoint& local, const Endpoint& remote, std::uint32_t netns) {
	return absl::HashOf(local.address.bytes, local.port, remote.address.bytes, remote.port,
	                    is_local(local.address) ? netns : 0);
}

std::uint64_t key_of(const Connection& connection) {
	return key_of(connection.local(), connection.remote(), connection.netns);
}

std::uint64_t key_of_other(const Connection& connection) {
	return key_of(connection.remote(), connection.local(), connection.netns);
}

bool is_other_end(const Connection& connection, const Endpoint& local, const Endpoint& remote,
                  std::uint32_t netns) {
	return connection.local() == remote && connection.remote() == local &&
	       (!is_local(local.address) || connection.netns == netns);
}

/// A socket of an unbound port, and a packet's, has no other end here.
bool can_be_paired(const Connection& connection) {
	return connection.sight == Sight::socket && connection.local_port != 0;
}

void take_owner(PairedEnd& end, const Connection& connection) {
	end.owner_cgroup = connection.owner_cgroup;
	end.owner_pid = connection.owner_pid;
	end.owner_command = connection.owner_command;
	end.owner_source = connection.owner_source;
}

PairedEnd end_of(const Connection& connection) {
	PairedEnd end;
	end.cookie = connection.cookie;
	take_owner(end, connection);
	return end;
}

/// An application's doing: an end by RST or by a timer has an error.
bool is_our_close(const Event& event) {
	const bool ends = event.kind == EventKind::close || event.kind == EventKind::released ||
	                  (event.kind == EventKind::end && event.error == 0);
	return ends && (event.shutdown & 2U) != 0;
}

/// Who ends it when nobody was known to hold it.
void take_actor(PairedEnd& end, const Event& event) {
	end.owner_cgroup = event.cgroup_id;
	end.owner_pid = event.actor->pid;
	end.owner_command.fill('\0');
	const std::size_t length = std::min(event.actor->command.size(), end.owner_command.size());
	std::copy_n(event.actor->command.begin(), length, end.owner_command.begin());
	end.owner_source = OwnerSource::close;
}

std::optional<std::uint64_t> bytes_read(const Event& event) {
	if (!event.view) {
		return std::nullopt;
	}
	const Reading reading{*event.view, event.peer_fin_seen, false, default_tick};
	return event.view->bytes_received - unread_bytes(reading);
}

/// Payload that we had queued before our last message. Without a record it is the first.
std::optional<std::uint64_t> bytes_before_message(const Connection& connection,
                                                  const SocketView& view) {
	if (!view.exchange) {
		return connection.opened_known && view.receives_seen ? std::optional<std::uint64_t>(0)
		                                                     : std::nullopt;
	}
	const std::uint32_t syn = 1; // bytes_acked counts it
	const std::uint32_t since = view.snd_una - view.exchange->turn_write_seq;
	return view.bytes_acked - syn - static_cast<std::uint64_t>(static_cast<std::int32_t>(since));
}

void update(PairedEnd& end, const Connection& connection, const Event& event) {
	if (end.owner_pid == 0) {
		take_owner(end, connection);
	}
	if (end.owner_pid == 0 && event.actor) {
		take_actor(end, event);
	}
	if (!end.finished) {
		end.finished = event.time;
	}
	if (event.shutdown == both_directions && !end.closed) {
		end.closed = event.time;
		end.bytes_read = bytes_read(event);
	}
}

std::optional<Nanoseconds> age_at(Nanoseconds time, const std::optional<Nanoseconds>& when) {
	return when && *when <= time ? std::optional(time - *when) : std::nullopt;
}

OtherEnd told(const PairedEnd& end, Nanoseconds time) {
	OtherEnd other;
	other.cookie = end.cookie;
	other.owner.source = end.owner_source;
	if (end.owner_pid != 0) {
		const auto* const stop =
			std::find(end.owner_command.begin(), end.owner_command.end(), '\0');
		other.owner.pid = end.owner_pid;
		other.owner.command = std::string(end.owner_command.begin(), stop);
		other.owner.cgroup_id = end.owner_cgroup;
	}
	other.fin_age = age_at(time, end.finished);
	other.close_age = age_at(time, end.closed);
	return other;
}

} // namespace

Connection* Pairs::living(const Connection& connection, Tracker& tracker) const {
	const auto found = living_.find(key_of_other(connection));
	Connection* const other = found == living_.end() ? nullptr : tracker.find(found->second);
	const bool fits =
		other != nullptr && is_other_end(connection, other->local(), other->remote(), other->netns);
	return fits ? other : nullptr;
}

void Pairs::index(const Connection& connection) {
	living_.insert_or_assign(key_of(connection), connection.cookie);
}

void Pairs::note_close(const Connection& connection, const Event& event, Tracker& tracker) {
	const Connection* const other = living(connection, tracker);
	const auto known = other == nullptr ? others_.end() : others_.find(other->cookie);
	if (known != others_.end() && known->second.cookie == connection.cookie) {
		update(known->second, connection, event); // it had ended its sending before
		return;
	}
	const Key key = key_of(connection);
	const auto [place, is_new] = closing_.try_emplace(key);
	if (is_new) {
		order_.push_back(key);
	}
	if (place->second.end.cookie != connection.cookie) {
		place->second = {connection.local(), connection.remote(), connection.netns,
		                 end_of(connection)};
	}
	update(place->second.end, connection, event);
	if (order_.size() > most_closing) {
		closing_.erase(order_.front());
		order_.pop_front();
	}
}

/// Whoever closed has done so just before: the FIN leaves after the state has changed (tcp_close, tcp_shutdown).
void Pairs::note_peer_fin(const Connection& connection) {
	index(connection);
	const auto found = closing_.find(key_of_other(connection));
	if (found != closing_.end() &&
	    is_other_end(connection, found->second.local, found->second.remote, found->second.netns)) {
		others_.insert_or_assign(connection.cookie, found->second.end);
	}
}

void Pairs::observe(const Connection& connection, const Event& event, Tracker& tracker) {
	if (!can_be_paired(connection)) {
		return;
	}
	if (event.kind == EventKind::peer_fin) {
		note_peer_fin(connection);
	} else if (is_our_close(event)) {
		note_close(connection, event, tracker);
	} else if (connection.role == Role::passive &&
	           (event.kind == EventKind::open || event.kind == EventKind::inventory)) {
		index(connection);
	}
}

void Pairs::forget(const Connection& connection) {
	others_.erase(connection.cookie);
	const auto found = living_.find(key_of(connection));
	if (found != living_.end() && found->second == connection.cookie) {
		living_.erase(found);
	}
}

std::optional<OtherEnd> Pairs::other_end(const Connection& connection, Nanoseconds time,
                                         Tracker& tracker) const {
	if (!can_be_paired(connection)) {
		return std::nullopt;
	}
	const auto known = others_.find(connection.cookie);
	const Connection* const other = living(connection, tracker);
	if (known != others_.end()) {
		PairedEnd end = known->second;
		if (end.owner_pid == 0 && other != nullptr && other->cookie == end.cookie) {
			take_owner(end, *other); // a scan may have found it since
		}
		return told(end, time);
	}
	return other == nullptr ? std::nullopt : std::optional(told(end_of(*other), time));
}

std::optional<OtherEndSeen> Pairs::seen_of(const Connection& connection, const Event& event,
                                           Tracker& tracker) const {
	if (!can_be_paired(connection)) {
		return std::nullopt;
	}
	const PairedEnd* end = nullptr;
	PairedEnd alive;
	const Connection* const other = living(connection, tracker);
	const auto closed = closing_.find(key_of_other(connection));
	if (const auto known = others_.find(connection.cookie); known != others_.end()) {
		end = &known->second;
	} else if (closed != closing_.end() &&
	           is_other_end(connection, closed->second.local, closed->second.remote,
	                        closed->second.netns) &&
	           (other == nullptr || other->cookie == closed->second.end.cookie)) {
		end = &closed->second.end;
	} else if (other != nullptr) {
		alive = end_of(*other);
		end = &alive;
	}
	if (end == nullptr) {
		return std::nullopt;
	}
	OtherEndSeen seen;
	seen.cookie = end->cookie;
	seen.same_process = end->owner_pid != 0 && end->owner_pid == connection.owner_pid;
	const auto before = event.view ? bytes_before_message(connection, *event.view) : std::nullopt;
	if (before && end->bytes_read) {
		seen.read_part = *end->bytes_read > *before;
	}
	return seen;
}

} // namespace stalesock
