// SPDX-License-Identifier: Apache-2.0
// What an end sent says what it knew, and what it did.
#include "capture/end.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

namespace stalesock {

namespace {

constexpr std::uint8_t send_shutdown = 2;
constexpr std::uint8_t both_directions = 3;

/// Writes this close to each other belong to one request (track/reading.hpp says so of a socket, too).
constexpr Nanoseconds same_request = std::chrono::milliseconds(100);
/// As in bpf/traffic.bpf.h: what an active opener adds later changes no verdict.
constexpr Nanoseconds late_write_settles = std::chrono::milliseconds(250);

bool begins_tls_record(const Segment& segment) {
	return segment.head == PayloadHead::tls_data || segment.head == PayloadHead::tls_alert;
}

bool is_farewell(const Segment& segment) {
	return segment.head == PayloadHead::goodbye || segment.head == PayloadHead::tls_alert ||
	       (segment.head == PayloadHead::tls_data && segment.record_length <= tls_alert_record);
}

/// As the hook of sends looks again after frames of HTTP/2 that ask for nothing.
bool may_ask(const Segment& segment) {
	return segment.head != PayloadHead::http2_control && !segment.control_sized &&
	       !is_farewell(segment);
}

} // namespace

void End::sent(const Identity& self, const Segment& segment, const EventHandler& handler) {
	settle(self, segment.time, handler);
	if (state_ == TcpState::close) {
		return;
	}
	const Nanoseconds time = sent_at(segment.time);
	if (segment.has(tcp_rst)) {
		send_reset(self, segment, handler);
		return;
	}
	if (state_ == TcpState::syn_recv) {
		establish(self, time, handler);
	} else if (state_ == TcpState::syn_sent) { // the SYN and ACK was not captured
		state_ = TcpState::established;
		counters_.begin_receiving(segment.acknowledgement, time);
	}
	if (segment.has(tcp_ack)) {
		take_proof(self, segment, handler);
	}
	if (!passive_) {
		measure_handshake(segment.time);
	}
	note_stamp(segment, time);
	if (send_probe(self, segment, handler)) {
		return;
	}
	if (segment.payload != 0) {
		send_payload(self, segment, handler);
	}
	transmit(segment, time);
	if (segment.has(tcp_fin)) {
		send_fin(self, segment, handler);
	}
}

void End::transmit(const Segment& segment, Nanoseconds time) {
	counters_.transmit(segment.acknowledgement, time);
	if (pending_fin_) {
		pending_fin_->counters.transmit(segment.acknowledgement, time);
	}
}

/// RFC 9293, 3.8.4: one number below what is to be sent next, so that the peer answers. The same is sent when
/// the peer's window is closed.
bool End::send_probe(const Identity& self, const Segment& segment, const EventHandler& handler) {
	const bool below = segment.sequence + 1 == counters_.write_seq() && segment.payload <= 1;
	const bool open = state_ == TcpState::established || state_ == TcpState::close_wait;
	if (!below || !open || segment.has(tcp_fin) || !counters_.all_acknowledged()) {
		return false;
	}
	const Nanoseconds time = sent_at(segment.time);
	transmit(segment, time);
	if (peer_window_closed_) {
		return true;
	}
	probed_ = true;
	Event probe = event(self, EventKind::keepalive_probe, time);
	probe.keepalive = true;
	probe.unanswered = counters_.probes_out != 0;
	if (counters_.probes_out < std::numeric_limits<std::uint8_t>::max()) {
		counters_.probes_out++;
	}
	handler(probe);
	return true;
}

void End::send_payload(const Identity& self, const Segment& segment, const EventHandler& handler) {
	if (!comes_before(counters_.write_seq(), segment.end())) {
		send_again(self, segment, handler);
		return;
	}
	const Nanoseconds time = sent_at(segment.time);
	if (comes_before(counters_.write_seq(), segment.start())) {
		hole_begin_ = counters_.write_seq();
		hole_end_ = segment.start();
	}
	begin_message(segment, time);
	say_farewell(self, segment, time, handler);
	sends_seen_ = segment.head != PayloadHead::unknown;
	counters_.send(segment.end(), time);
	if (pending_fin_) {
		pending_fin_->counters.send(segment.end(), time);
	}
	if (state_ != TcpState::close_wait) {
		return;
	}
	if (segment.has(tcp_ack) && comes_before(segment.acknowledgement, counters_.rcv_nxt())) {
		late_->write_seq_at_fin = segment.end(); // sent before the FIN was known, captured late
		return;
	}
	write_late(self, segment, time, handler);
}

/// A capture may hold segments out of order: what fills a hole was not sent twice.
void End::send_again(const Identity& self, const Segment& segment, const EventHandler& handler) {
	if (!comes_before(segment.start(), hole_begin_) && !comes_before(hole_end_, segment.end())) {
		if (segment.start() == hole_begin_) {
			hole_begin_ = segment.end();
		}
		return;
	}
	const Nanoseconds time = sent_at(segment.time);
	counters_.send_again(segment.end(), time);
	const bool open = state_ == TcpState::established || state_ == TcpState::close_wait;
	if (!open || !counters_.flight_untouched()) {
		return;
	}
	Event retransmit = event(self, EventKind::retransmit, time);
	add_view(retransmit, counters_);
	add_late(retransmit);
	if (!retransmit.view) {
		return;
	}
	if (state_ == TcpState::close_wait) {
		handler(retransmit);
	} else { // what is acknowledged in the end was delayed or lost, and no path had forgotten it
		resent_ = std::make_unique<Event>(retransmit);
	}
}

/// HTTP/1 begins every request with a method: without one, it is the rest of a request that has a body, as
/// note_head_of_turn() in bpf/exchange.bpf.h has it. Else silence is between two messages, and before the FIN a complete
/// turn is. After the FIN only the first bytes tell the next request from the rest of one that was answered early.
bool End::begins_message(const Segment& segment, Nanoseconds time) const {
	const Nanoseconds gap = time - counters_.last_send();
	if (segment.head == PayloadHead::http_request) {
		return true;
	}
	if (has_body_ && segment.head == PayloadHead::other && gap < same_request) {
		return false;
	}
	const bool late = state_ == TcpState::close_wait;
	return gap >= same_request || (late ? begins_tls_record(segment) : counters_.turn_complete());
}

/// Whoever begins a message has read what came before.
void End::begin_message(const Segment& segment, Nanoseconds time) {
	if (!begins_message(segment, time)) {
		return;
	}
	if (segment.head == PayloadHead::http_request) {
		has_body_ = segment.announces_body;
	}
	counters_.read_up_to(segment.acknowledgement - (fin_received_ ? 1U : 0U));
	if (pending_fin_) {
		pending_fin_->counters.read_up_to(segment.acknowledgement);
	}
}

/// As the hook of sends tells it.
void End::say_farewell(const Identity& self, const Segment& segment, Nanoseconds time,
                       const EventHandler& handler) {
	if (state_ != TcpState::established || passive_ || !is_farewell(segment)) {
		return;
	}
	Event said = event(self, EventKind::reuse, time);
	said.farewell = true;
	add_view(said, counters_);
	if (said.view) {
		handler(said);
	}
}

void End::write_late(const Identity& self, const Segment& segment, Nanoseconds time,
                     const EventHandler& handler) {
	LateWrite& late = late_->write;
	const bool control = late.head == PayloadHead::http2_control || late.control_sized;
	if (late.writes == 0 || (control && may_ask(segment))) {
		begin_late(segment, time);
	}
	// write_seq wraps, this does not.
	late.bytes += static_cast<std::uint32_t>(counters_.write_seq() - late_->write_seq_at_fin -
	                                         static_cast<std::uint32_t>(late.bytes));
	if (late.writes < std::numeric_limits<std::uint16_t>::max()) {
		late.writes++;
	}
	if (late.writes != 1 && (passive_ || time - late.time >= late_write_settles)) {
		return;
	}
	Event event = this->event(self, EventKind::late_write, time);
	add_view(event, counters_);
	add_late(event);
	handler(event);
}

/// What leaves as soon as an acknowledgement makes room may have been written before.
void End::begin_late(const Segment& segment, Nanoseconds time) {
	constexpr Nanoseconds at_once = std::chrono::milliseconds(1);
	LateWrite& late = late_->write;
	late.time = std::max(time, *late.fin_time);
	late.begin_seen = segment.head != PayloadHead::unknown;
	late.head = segment.head;
	late.record_length = segment.record_length;
	late.control_sized = segment.control_sized;
	late.copied_seq = counters_.copied_seq();
	late.unread = counters_.rcv_nxt() - counters_.copied_seq();
	late.continued =
		late_->was_waiting && time - counters_.last_progress() < at_once + distance.one_way();
}

/// Whether that was a close or shutdown(SHUT_WR), only what follows tells.
void End::send_fin(const Identity& self, const Segment& segment, const EventHandler& handler) {
	tell_resent(handler);
	const Nanoseconds time = sent_at(segment.time);
	if (state_ == TcpState::established) {
		own_fin_ = segment.end();
		pending_fin_.reset(); // the two crossed
		Event close = event(self, EventKind::close, time);
		close.shutdown = send_shutdown;
		move_to(TcpState::fin_wait1, close);
		add_view(close, counters_);
		handler(close);
	} else if (state_ == TcpState::close_wait) {
		own_fin_ = segment.end();
		const bool written = late_->write.writes != 0;
		Event close = event(self, written ? EventKind::close : EventKind::released, time);
		close.shutdown = both_directions;
		move_to(TcpState::last_ack, close);
		if (written) {
			add_view(close, counters_);
			add_late(close);
		}
		handler(close);
	}
}

/// An application that aborts, or a keepalive timer that has given up: its RST follows unanswered probes.
void End::send_reset(const Identity& self, const Segment& segment, const EventHandler& handler) {
	tell_resent(handler);
	if (pending_fin_ && segment.has(tcp_ack) &&
	    comes_before(pending_fin_->number, segment.acknowledgement)) {
		commit_fin(self, handler);
	}
	const bool open = state_ == TcpState::established || state_ == TcpState::close_wait;
	Event end = event(self, open ? EventKind::end : EventKind::released, sent_at(segment.time));
	end.shutdown = both_directions;
	move_to(TcpState::close, end);
	if (open) {
		end.keepalive = counters_.probes_out != 0;
		end.error = end.keepalive ? ETIMEDOUT : 0;
		add_view(end, counters_);
		add_late(end);
	}
	handler(end);
}

} // namespace stalesock
