// SPDX-License-Identifier: Apache-2.0
// The handshake, what every event says, and when a FIN has come.
#include "capture/end.hpp"

#include <algorithm>
#include <utility>

namespace stalesock {

Event End::event(const Identity& self, EventKind kind, Nanoseconds time) const {
	Event event;
	event.time = time;
	event.kind = kind;
	event.cookie = self.cookie;
	event.local = self.local;
	event.remote = self.remote;
	event.ipv6_socket = !self.local.address.is_ipv4();
	event.old_state = event.new_state = state_;
	event.peer_fin_seen = fin_received_;
	event.inherited_backlog = passive_ && !role_seen_;
	event.sight = distance.is_here() ? Sight::wire : Sight::wire_elsewhere;
	return event;
}

/// Of a connection that sent nothing since the capture began, ages are not known.
void End::add_view(Event& event, const Counters& counters) const {
	if (!counters.is_partial() || counters.bytes_sent() != 0) {
		event.view = counters.view(event.time);
		event.view->sends_seen = sends_seen_;
	}
}

void End::add_late(Event& event) const {
	if (late_ && late_->write.writes != 0) {
		event.late = late_->write;
	}
}

void End::move_to(TcpState state, Event& event) {
	event.old_state = state_;
	event.new_state = state_ = state;
}

void End::send_syn(const Identity& self, const Segment& segment, const EventHandler& handler) {
	syn_time_ = segment.time;
	if (state_ == TcpState::syn_sent) {
		return;
	}
	role_seen_ = true;
	first_number_ = segment.start();
	counters_.begin_sending(first_number_, segment.time);
	Event open = event(self, EventKind::open, segment.time);
	move_to(TcpState::syn_sent, open);
	handler(open);
}

void End::receive_syn(const Segment& segment) {
	state_ = TcpState::syn_recv;
	passive_ = role_seen_ = true;
	syn_time_ = segment.time;
	counters_.begin_receiving(segment.start(), segment.time);
}

void End::forget_times() {
	syn_time_ = reply_due_since_ = Nanoseconds::zero();
	counters_.forget_times();
}

void End::send_syn_ack(const Segment& segment) {
	if (syn_time_ != Nanoseconds::zero()) {
		distance.sample(segment.time - syn_time_);
	}
	counters_.begin_sending(segment.start(), sent_at(segment.time));
}

/// From the SYN to what follows the SYN and ACK takes a round trip, wherever that is seen.
void End::measure_handshake(Nanoseconds time) {
	if (syn_time_ != Nanoseconds::zero()) {
		counters_.sample_round_trip(time - syn_time_);
		syn_time_ = Nanoseconds::zero();
	}
}

void End::receive_syn_ack(const Segment& segment) {
	state_ = TcpState::established;
	reply_due_since_ = segment.time;
	counters_.begin_receiving(segment.start(), segment.time);
	counters_.establish(segment.time);
}

void End::establish(const Identity& self, Nanoseconds time, const EventHandler& handler) {
	counters_.establish(time);
	Event open = event(self, EventKind::open, time);
	move_to(TcpState::established, open);
	handler(open);
}

void End::begin_amid(const Identity& self, const Segment& segment, bool ours, bool passive,
                     const EventHandler& handler) {
	passive_ = passive;
	state_ = TcpState::established;
	counters_.begin_sending(ours ? segment.sequence : segment.acknowledgement, segment.time);
	counters_.begin_receiving(ours ? segment.acknowledgement : segment.sequence, segment.time);
	counters_.set_partial();
	Event inventory = event(self, EventKind::inventory, segment.time);
	add_view(inventory, counters_);
	handler(inventory);
}

/// What we acknowledge has come, whether it was captured or not.
void End::take_proof(const Identity& self, const Segment& segment, const EventHandler& handler) {
	std::uint32_t proven = segment.acknowledgement;
	if (pending_fin_ && comes_before(pending_fin_->number, proven)) {
		commit_fin(self, handler);
	}
	if (fin_received_) {
		return;
	}
	if (reply_due_since_ != Nanoseconds::zero() && proven == counters_.rcv_nxt()) {
		distance.sample(segment.time - reply_due_since_);
		reply_due_since_ = Nanoseconds::zero();
	}
	if (proven == counters_.rcv_nxt() + 1 && !pending_fin_) {
		acknowledged_unseen_ = true;
		return;
	}
	if (comes_before(counters_.rcv_nxt(), proven)) {
		lost_++;
		counters_.note_loss();
		counters_.receive(proven, sent_at(segment.time));
	}
}

void End::commit_fin(const Identity& self, const EventHandler& handler) {
	const std::unique_ptr<PendingFin> fin = std::move(pending_fin_);
	const Nanoseconds time = std::max(fin->time, fin->counters.last_send());
	if (comes_before(counters_.rcv_nxt(), fin->number)) {
		lost_++;
		fin->counters.note_loss();
		counters_.note_loss();
		fin->counters.receive(fin->number, fin->time);
		counters_.receive(fin->number, fin->time);
	}
	reply_due_since_ = Nanoseconds::zero();
	fin->counters.receive_fin();
	counters_.receive_fin();
	fin_received_ = true;
	late_ = std::make_unique<Late>();
	late_->write_seq_at_fin = counters_.write_seq();
	late_->was_waiting = fin->was_waiting;
	late_->write.fin_time = time;
	Event event = this->event(self, EventKind::peer_fin, time);
	event.keepalive = probed_;
	move_to(TcpState::close_wait, event);
	add_view(event, fin->counters);
	handler(event);
}

void End::scan(const Identity& self, Nanoseconds now, const EventHandler& handler) const {
	if (state_ != TcpState::close_wait) {
		return;
	}
	Event found = event(self, EventKind::scan, now);
	add_view(found, counters_);
	if (found.view) {
		handler(found);
	}
}

void End::tell_resent(const EventHandler& handler) {
	if (const auto resent = std::move(resent_)) {
		handler(*resent);
	}
}

void End::finish(const Identity& self, const EventHandler& handler) {
	tell_resent(handler);
	if (pending_reset_) {
		commit_reset(self, received_at(*pending_reset_), handler);
	} else if (pending_fin_ && pending_fin_->in_order && distance.is_here()) {
		commit_fin(self, handler);
	}
}

void End::forget(const Identity& self, Nanoseconds time, const EventHandler& handler) {
	constexpr std::uint8_t both_directions = 3;
	finish(self, handler);
	if (state_ != TcpState::close) {
		Event released = event(self, EventKind::released, time);
		released.shutdown = both_directions;
		move_to(TcpState::close, released);
		handler(released);
	}
}

} // namespace stalesock
