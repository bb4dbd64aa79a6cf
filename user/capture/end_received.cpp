// SPDX-License-Identifier: Apache-2.0
// What an end was sent, and had to take.
#include "capture/end.hpp"

#include <cerrno>

namespace stalesock {

namespace {

constexpr std::uint8_t both_directions = 3;
/// RFC 7323, 2.3: no window is larger.
constexpr std::uint32_t largest_window = 1U << 30;
constexpr std::int64_t nanoseconds_per_millisecond = 1'000'000;

std::uint32_t milliseconds_of(Nanoseconds time) {
	return static_cast<std::uint32_t>(time.count() / nanoseconds_per_millisecond);
}

} // namespace

void End::received(const Identity& self, const Segment& segment, const EventHandler& handler) {
	if (state_ == TcpState::close || pending_reset_) {
		return;
	}
	if (segment.has(tcp_rst)) {
		receive_reset(self, segment, handler);
		return;
	}
	if (state_ == TcpState::syn_sent) {
		return;
	}
	const bool was_waiting = !counters_.all_acknowledged();
	note_echo(segment);
	if (segment.has(tcp_ack)) {
		receive_acknowledgement(self, segment, handler);
	}
	peer_window_closed_ = segment.window == 0;
	if (segment.payload != 0) {
		receive_payload(segment);
	}
	if (segment.has(tcp_fin)) {
		receive_fin(self, segment, was_waiting, handler);
	}
}

void End::receive_acknowledgement(const Identity& self, const Segment& segment,
                                  const EventHandler& handler) {
	const Nanoseconds time = received_at(segment.time);
	if (state_ == TcpState::syn_recv) {
		establish(self, time, handler);
	}
	if (passive_) {
		measure_handshake(segment.time);
	}
	const bool fin_sent = state_ != TcpState::established && state_ != TcpState::close_wait;
	const bool fin_acknowledged = fin_sent && comes_before(own_fin_, segment.acknowledgement);
	const std::uint32_t number = fin_acknowledged ? own_fin_ : segment.acknowledgement;
	if (number - counters_.write_seq() < largest_window ||
	    comes_before(number, counters_.write_seq())) {
		counters_.acknowledged(number, segment.selective_ack, time);
		if (resent_ && counters_.all_acknowledged()) {
			resent_.reset();
		}
	}
	if (fin_acknowledged && state_ == TcpState::fin_wait1) {
		state_ = TcpState::fin_wait2;
	} else if (fin_acknowledged && state_ == TcpState::last_ack) {
		Event end = event(self, EventKind::end, time);
		end.shutdown = both_directions;
		end.orphan = true;
		move_to(TcpState::close, end);
		add_view(end, counters_);
		add_late(end);
		if (end.late) { // otherwise RELEASED was said at LAST_ACK
			handler(end);
		}
	}
}

/// Behind a gap nothing is taken until we acknowledge it: the capture may have lost what is missing, or the
/// path.
void End::receive_payload(const Segment& segment) {
	if (fin_received_ || comes_before(counters_.rcv_nxt(), segment.start()) ||
	    !comes_before(counters_.rcv_nxt(), segment.end())) {
		return;
	}
	acknowledged_unseen_ = false;
	counters_.receive(segment.end(), received_at(segment.time));
	reply_due_since_ = segment.time;
}

void End::receive_fin(const Identity& self, const Segment& segment, bool was_waiting,
                      const EventHandler& handler) {
	const Nanoseconds time = received_at(segment.time);
	const std::uint32_t number = segment.end();
	if (state_ == TcpState::fin_wait1 || state_ == TcpState::fin_wait2) {
		Event released = event(self, EventKind::released, time);
		released.shutdown = both_directions;
		move_to(TcpState::close, released);
		handler(released);
	} else if (state_ == TcpState::established && !pending_fin_ &&
	           !comes_before(number, counters_.rcv_nxt())) {
		pending_fin_ = std::make_unique<PendingFin>(
			PendingFin{counters_, time, number, number == counters_.rcv_nxt(), was_waiting});
		if (acknowledged_unseen_ &&
		    pending_fin_->in_order) { // the capture shows the FIN after its ACK
			commit_fin(self, handler);
		}
	}
}

/// Below the window it is ignored (RFC 5961); Linux takes one less after a FIN.
void End::receive_reset(const Identity& self, const Segment& segment, const EventHandler& handler) {
	if (state_ != TcpState::syn_sent &&
	    segment.sequence - (counters_.rcv_nxt() - 1) >= largest_window) {
		return;
	}
	if (segment.has(tcp_ack)) {
		reset_number_ = segment.acknowledgement;
	}
	bare_reset_ = stamp_clock_ != StampClock::unknown && !segment.timestamps;
	if (distance.one_way() == Nanoseconds::zero()) {
		commit_reset(self, segment.time, handler);
	} else {
		pending_reset_ = std::make_unique<Nanoseconds>(segment.time);
	}
}

Nanoseconds End::reset_due() const {
	return *pending_reset_ + 2 * distance.one_way();
}

void End::settle(const Identity& self, Nanoseconds now, const EventHandler& handler) {
	if (pending_reset_ && reset_due() < now) {
		commit_reset(self, received_at(*pending_reset_), handler);
	}
}

void End::commit_reset(const Identity& self, Nanoseconds time, const EventHandler& handler) {
	pending_reset_.reset();
	tell_resent(handler);
	if (pending_fin_ && pending_fin_->in_order) {
		commit_fin(self, handler);
	}
	const bool broken = state_ == TcpState::established || state_ == TcpState::close_wait ||
	                    (state_ == TcpState::last_ack && late_->write.writes != 0);
	Event end = event(self, broken ? EventKind::end : EventKind::released, time);
	move_to(TcpState::close, end);
	if (broken) {
		end.error = end.old_state == TcpState::close_wait ? EPIPE : ECONNRESET;
		end.bare_rst = bare_reset_;
		end.rst_acknowledged =
			reset_number_ == counters_.write_seq() && !counters_.all_acknowledged();
		add_view(end, counters_);
		add_late(end);
	} else {
		end.shutdown = both_directions;
	}
	handler(end);
}

/// Our timestamps count milliseconds on most systems (RFC 7323, 5.4): then what the peer echoes tells which of
/// our segments it had seen.
void End::note_stamp(const Segment& segment, Nanoseconds time) {
	constexpr std::uint32_t jitter = 2;
	if (!segment.timestamps || stamp_clock_ == StampClock::other) {
		return;
	}
	const std::uint32_t offset = segment.timestamps->value - milliseconds_of(time);
	if (stamp_clock_ == StampClock::milliseconds && offset - stamp_offset_ + jitter > 2 * jitter) {
		stamp_clock_ = StampClock::other;
		counters_.echoed_ms = 0;
		return;
	}
	stamp_clock_ = StampClock::milliseconds;
	stamp_offset_ = offset;
}

void End::note_echo(const Segment& segment) {
	if (segment.timestamps && stamp_clock_ == StampClock::milliseconds) {
		counters_.echoed_ms = segment.timestamps->echo - stamp_offset_;
	}
}

} // namespace stalesock
