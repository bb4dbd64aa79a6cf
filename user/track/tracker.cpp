// SPDX-License-Identifier: Apache-2.0
#include "track/tracker.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace stalesock {

namespace {

constexpr std::uint8_t both_directions = 3; // RCV_SHUTDOWN | SEND_SHUTDOWN

/// The cgroup is that of the event's own actor, who need not be the writer that it tells of.
void set_owner(Connection& connection, const Actor& actor, OwnerSource source, const Event& event) {
	if (event.actor && event.actor->pid == actor.pid) {
		connection.owner_cgroup = event.cgroup_id;
	} else if (connection.owner_pid != actor.pid) {
		connection.owner_cgroup = 0;
	}
	connection.owner_pid = actor.pid;
	connection.owner_source = source;
	connection.owner_command.fill('\0');
	const std::size_t length = std::min(actor.command.size(), connection.owner_command.size());
	std::copy_n(actor.command.begin(), length, connection.owner_command.begin());
}

/// An observed transition decides; a socket that was open before us tells by its inherited backlog.
void update_role(Connection& connection, const Event& event) {
	if (event.kind == EventKind::open && event.new_state == TcpState::syn_sent) {
		connection.role = Role::active;
		connection.role_inferred = false;
	} else if (event.inherited_backlog) {
		connection.role = Role::passive;
		connection.role_inferred = event.sight != Sight::socket; // no capture shows a backlog
	} else if (connection.role == Role::unknown) {
		const bool accepted = event.kind == EventKind::open;
		connection.role = accepted ? Role::passive : Role::active;
		connection.role_inferred = !accepted;
	}
}

/// Only where the actor is the application acting on its own behalf.
void update_owner(Connection& connection, const Event& event) {
	if (event.kind == EventKind::open && event.actor && connection.role == Role::active) {
		set_owner(connection, *event.actor, OwnerSource::connect, event);
	} else if (event.late && event.late->writer) {
		set_owner(connection, *event.late->writer, OwnerSource::write, event);
	} else if (event.kind == EventKind::reuse && event.actor &&
	           (connection.owner_source == OwnerSource::unknown ||
	            connection.owner_source == OwnerSource::scan)) {
		set_owner(connection, *event.actor, OwnerSource::write, event);
	} else if (event.kind == EventKind::owner && event.actor &&
	           (connection.owner_source == OwnerSource::unknown ||
	            connection.owner_source == OwnerSource::scan)) {
		set_owner(connection, *event.actor, OwnerSource::scan, event);
	} else if (event.kind != EventKind::owner && event.actor && event.error == 0 &&
	           event.shutdown == both_directions &&
	           connection.owner_source == OwnerSource::unknown) {
		set_owner(connection, *event.actor, OwnerSource::close, event);
	}
}

void update_addresses(Connection& connection, const Event& event) {
	connection.local_address = event.local.address;
	connection.remote_address = event.remote.address;
	if (event.local.port != 0) { // 0 in SYN_SENT
		connection.local_port = event.local.port;
	}
	connection.remote_port = event.remote.port;
	connection.netns = event.netns;
}

FinFacts& fin_of(Connection& connection) {
	if (!connection.fin) {
		connection.fin = std::make_unique<FinFacts>();
	}
	return *connection.fin;
}

/// The peer's last ACK is its FIN's, unless it answered a keepalive probe since.
void infer_fin_time(FinFacts& fin, const Event& event, Nanoseconds tick) {
	if (event.late && event.late->fin_time) {
		fin.time = *event.late->fin_time;
		return;
	}
	fin.time_inferred = true;
	fin.time = event.view ? event.time - event.view->ack_age_ticks * tick : event.time;
	if (event.late) {
		fin.time = std::min(fin.time, event.late->time);
	}
}

/// States that nobody reaches without a FIN of the peer's, before or after the event.
bool shows_fin(const Event& event) {
	const auto follows_fin = [](TcpState state) {
		return state == TcpState::close_wait || state == TcpState::last_ack;
	};
	return event.kind != EventKind::peer_fin && event.kind != EventKind::owner &&
	       (follows_fin(event.old_state) || follows_fin(event.new_state));
}

/// Whoever is watched in such a state will have its FIN told by an event.
bool awaits_fin(const Event& event) {
	return event.sight == Sight::socket && event.kind != EventKind::owner &&
	       (event.new_state == TcpState::syn_sent || event.new_state == TcpState::syn_recv ||
	        event.new_state == TcpState::established);
}

/// A hook that looks at each send did not run for the first one.
bool is_missed(const LateWrite& late, const Event& event) {
	return event.sight == Sight::socket && !late.time_known && !late.continued && event.view &&
	       event.view->sends_seen;
}

/// Of a write that no hook saw, the first discovery is the nearest to it.
void update_late(FinFacts& fin, const LateWrite& late) {
	const std::optional<LateWrite> found = std::exchange(fin.late, late);
	if (found && !late.time_known) {
		fin.late->time = found->time;
		fin.late->unread = found->unread;
		fin.late->copied_seq = found->copied_seq;
	}
}

bool was_found_in_close_wait(const Event& event) {
	return (event.kind == EventKind::inventory || event.kind == EventKind::scan) &&
	       event.new_state == TcpState::close_wait;
}

void tell_fin(FinFacts& fin, const Event& event) {
	fin.time = event.time;
	fin.time_inferred = false;
	fin.view = event.view;
	fin.history_known = true;
	if (event.view) {
		fin.write_seq = event.view->write_seq;
	}
}

/// `missed_since`: the FIN was not told, and had not come then.
void find_fin(FinFacts& fin, const Event& event, std::optional<Nanoseconds> missed_since,
              Nanoseconds tick) {
	infer_fin_time(fin, event, tick);
	if (missed_since && fin.time_inferred) {
		fin.time = std::max(fin.time, *missed_since);
	}
	fin.missed = missed_since.has_value();
	fin.found_time = event.time;
	fin.found = event.view;
	if (!event.late && event.view) {
		fin.write_seq = event.view->write_seq;
	}
}

/// See find_fin().
void update_fin(Connection& connection, const Event& event, std::optional<Nanoseconds> missed_since,
                Nanoseconds tick) {
	const bool found = event.late || was_found_in_close_wait(event) || (missed_since && event.view);
	if (event.kind == EventKind::peer_fin) {
		tell_fin(fin_of(connection), event);
	} else if (!connection.fin && found) {
		find_fin(fin_of(connection), event, missed_since, tick);
	}
	if (!connection.fin) {
		return;
	}
	FinFacts& fin = *connection.fin;
	if (event.kind == EventKind::owner) {
		fin.holder = event.actor;
		fin.holder_seen = event.time;
		return;
	}
	fin.unaccepted = event.kind == EventKind::scan ? event.unaccepted : fin.unaccepted;
	fin.eof_read |= event.eof_read || (event.kind == EventKind::eof_read && !event.peek);
	fin.eof_peeked |= event.eof_peeked || (event.kind == EventKind::eof_read && event.peek);
	if (event.late) {
		update_late(fin, *event.late);
	}
	// An RST within the last write leaves its error, which nobody has taken.
	const bool ours = event.shutdown == both_directions && (event.error == 0 || event.destroyed);
	if (ours &&
	    (event.kind == EventKind::close || event.kind == EventKind::released || event.destroyed)) {
		fin.closed_by_us = true;
		fin.closed = fin.closed.value_or(event.time);
	}
	if (fin.late) {
		update_fate(fin, event);
	}
	fin.rst_received |= event.kind == EventKind::end && event.error != 0;
}

bool may_create(const Event& event) {
	switch (event.kind) {
	case EventKind::owner:
	case EventKind::keepalive_probe:
	case EventKind::released:
	case EventKind::refused_write:
	case EventKind::eof_read: return false;
	case EventKind::end: return !event.destroyed;
	case EventKind::late_write: // after the RST its connection has been judged and forgotten
		return event.new_state != TcpState::close;
	default: return true;
	}
}

} // namespace

/// Whoever has closed answers what comes after it with an RST and acknowledges none of it (RFC 9293, 3.6.1).
void update_fate(FinFacts& fin, const Event& event) {
	fin.late_resent |= event.kind == EventKind::retransmit;
	if (!event.view) {
		return;
	}
	const bool over =
		event.kind == EventKind::end && event.error == 0 && event.old_state == TcpState::last_ack;
	const auto acked =
		fin.write_seq ? static_cast<std::int32_t>(event.view->snd_una - *fin.write_seq) : 0;
	fin.late_taken |= over || acked > 0;
	if (event.new_state == TcpState::close_wait) {
		const bool unacked = event.view->write_seq != event.view->snd_una;
		fin.late_unacked = unacked ? std::optional(event.time) : std::nullopt;
	}
}

std::string_view Connection::owner_name() const {
	const auto* const end = std::find(owner_command.begin(), owner_command.end(), '\0');
	return {owner_command.data(), static_cast<std::size_t>(end - owner_command.begin())};
}

Tracker::Tracker(std::size_t limit, std::function<void(const Connection&)> forgotten)
	: limit_(std::clamp<std::size_t>(limit, 1, std::numeric_limits<std::uint32_t>::max())),
	  forgotten_(std::move(forgotten)) {}

Connection* Tracker::apply(const Event& event, Nanoseconds tick) {
	// connect(AF_UNSPEC) makes a socket free for another connection; should its end have been lost, that was it.
	if (event.kind == EventKind::open && event.new_state == TcpState::syn_sent) {
		const Connection* former = find(event.cookie);
		const bool open = former != nullptr && (former->state == TcpState::established ||
		                                        former->state == TcpState::close_wait);
		counters_.inferred += open ? 1 : 0;
		forget(event.cookie);
	}
	Connection* connection = find(event.cookie);
	if (connection == nullptr) {
		if (!may_create(event) || (event.kind != EventKind::open && has_ended(event.cookie))) {
			return nullptr;
		}
		connection = &insert(event);
	}
	if (event.kind == EventKind::keepalive_probe) {
		connection->probe_answered |= connection->keepalive_probes != 0 && !event.unanswered;
		if (connection->keepalive_probes < std::numeric_limits<std::uint16_t>::max()) {
			connection->keepalive_probes++;
		}
		return connection;
	}
	const Nanoseconds told_before = std::exchange(connection->last_event, event.time);
	connection->sight = event.sight;
	if (event.kind != EventKind::owner) {
		update_addresses(*connection, event);
		connection->state = event.new_state;
	}
	update_role(*connection, event);
	if (event.kind == EventKind::reuse && event.view) {
		connection->farewell_said = event.farewell;
		connection->farewell_seq = event.view->write_seq;
	}
	const bool late_before = connection->fin && connection->fin->late;
	const bool missed = notice_missed_fin(*connection, event);
	update_fin(*connection, event, missed ? std::optional(told_before) : std::nullopt, tick);
	if (!late_before && event.late && is_missed(*event.late, event)) {
		counters_.inferred++;
	}
	const bool was_unowned = connection->owner_source == OwnerSource::unknown;
	update_owner(*connection, event);
	if (was_unowned && connection->owner_source != OwnerSource::unknown) {
		counters_.unowned--;
	}
	return connection;
}

Connection* Tracker::find(std::uint64_t cookie) {
	const auto found = index_.find(cookie);
	return found == index_.end() ? nullptr : &slots_[found->second];
}

bool Tracker::notice_missed_fin(Connection& connection, const Event& event) {
	const bool missed = connection.fin_due && !connection.fin && shows_fin(event);
	counters_.inferred += missed ? 1 : 0;
	connection.fin_due = awaits_fin(event) || (connection.fin_due && !missed);
	return missed;
}

bool Tracker::has_ended(std::uint64_t cookie) const {
	return std::find(ended_.begin(), ended_.end(), cookie) != ended_.end();
}

void Tracker::forget(std::uint64_t cookie) {
	const auto found = index_.find(cookie);
	if (found == index_.end()) {
		return;
	}
	const Connection& connection = slots_[found->second];
	if (connection.state == TcpState::close && connection.fin && connection.fin->late) {
		ended_.at(next_ended_++ % ended_.size()) = cookie;
	}
	if (forgotten_) {
		forgotten_(slots_[found->second]);
	}
	if (slots_[found->second].owner_source == OwnerSource::unknown) {
		counters_.unowned--;
	}
	slots_[found->second] = Connection{};
	free_.push_back(found->second);
	index_.erase(found);
}

Connection& Tracker::insert(const Event& event) {
	if (index_.size() >= limit_) {
		evict_one();
	}
	const std::size_t slot = free_slot();
	index_.emplace(event.cookie, static_cast<std::uint32_t>(slot));
	Connection& connection = slots_[slot];
	connection.cookie = event.cookie;
	connection.opened_known = event.kind == EventKind::open;
	connection.opened = event.time;
	counters_.opened++;
	counters_.unowned++;
	return connection;
}

/// A full table has no free slot, so every slot of the sample holds a connection.
void Tracker::evict_one() {
	constexpr std::size_t sample_size = 16;
	constexpr std::uint64_t stride = 2'654'435'761; // Knuth's multiplier: spreads over the table
	const Connection* worst = nullptr;
	for (std::size_t i = 0; i < std::min(sample_size, slots_.size()); i++) {
		const Connection& candidate = slots_[(sample_++ * stride) % slots_.size()];
		const auto rank = [](const Connection& connection) {
			return std::pair(connection.fin != nullptr, connection.last_event);
		};
		if (worst == nullptr || rank(candidate) < rank(*worst)) {
			worst = &candidate;
		}
	}
	forget(worst->cookie);
	counters_.evicted++;
}

std::size_t Tracker::free_slot() {
	if (free_.empty()) {
		slots_.emplace_back();
		return slots_.size() - 1;
	}
	const std::size_t slot = free_.back();
	free_.pop_back();
	return slot;
}

} // namespace stalesock
