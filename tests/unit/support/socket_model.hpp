// SPDX-License-Identifier: Apache-2.0
// A socket's counters as the kernel keeps them, driven step by step with time passed in.
#pragma once

#include "model/event.hpp"
#include "model/exchange_record.hpp"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace stalesock::test {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr Nanoseconds tick{4'000'000};

class SocketModel {
  public:
	explicit SocketModel(Role role = Role::active, std::uint64_t cookie = 7)
		: role_(role), cookie_(cookie) {
		view_.write_seq = view_.snd_una = 1000;
		view_.rcv_nxt = view_.copied_seq = view_.rcv_wup = 5000;
		view_.srtt_us = 200;
		view_.bytes_acked = 1; // the SYN
		actor_ = {812, "client"};
	}

	Event open(Nanoseconds now) {
		last_send_ = last_receive_ = now;
		view_.first_tx_us = us(now); // the SYN
		state_ = role_ == Role::active ? TcpState::syn_sent : TcpState::established;
		Event event = bare(EventKind::open, now);
		event.old_state = role_ == Role::active ? TcpState::close : TcpState::syn_recv;
		event.new_state = state_;
		if (role_ == Role::active) {
			event.local.port = 0;
			event.actor = actor_;
		}
		state_ = TcpState::established;
		return event;
	}

	/// The SYN was answered: from here on lsndtime and lrcvtime count (tcp_finish_connect).
	void established(Nanoseconds now) {
		last_send_ = last_receive_ = now;
		view_.delivered_us = us(now);
		view_.delivered_tx_us = view_.first_tx_us;
	}

	/// From here on hooks see sends and receives, as bpf/exchange.bpf.h does.
	void observe() { view_.sends_seen = view_.receives_seen = true; }

	void send(Nanoseconds now, std::uint32_t bytes) {
		note_send(now);
		if (view_.write_seq == view_.snd_una) {
			view_.delivered_tx_us = view_.first_tx_us;
			view_.first_tx_us = view_.delivered_us = us(now);
		}
		view_.write_seq += bytes;
		view_.bytes_sent += bytes;
		transmit(now);
		last_send_ = now;
	}

	/// All of the flight goes out once more: lsndtime moves, its first sent time does not.
	void retransmit(Nanoseconds now) {
		view_.retransmits++;
		transmit(now);
		last_send_ = now;
	}

	/// The peer acknowledged everything.
	void acked(Nanoseconds now) {
		view_.first_tx_us = view_.delivered_tx_us = us(last_send_);
		view_.delivered_us = us(now);
		view_.bytes_acked += view_.write_seq - view_.snd_una;
		view_.snd_una = view_.write_seq;
	}

	/// The peer acknowledged some of it.
	void acked_in_part(Nanoseconds now, std::uint32_t bytes) {
		view_.delivered_us = us(now);
		view_.bytes_acked += bytes;
		view_.snd_una += bytes;
	}

	void receive(Nanoseconds now, std::uint32_t bytes) {
		view_.rcv_nxt += bytes;
		view_.bytes_received += bytes;
		last_receive_ = now;
	}

	/// We sent a bare ACK.
	void send_ack(Nanoseconds now) { transmit(now); }

	void read_all() {
		const std::uint32_t before = std::exchange(view_.copied_seq, view_.rcv_nxt);
		note_receive(before);
	}

	/// A whole turn: request out, acknowledged and answered after `answer`, read, ACK sent.
	void turn(Nanoseconds now, std::uint32_t request, std::uint32_t response,
	          Nanoseconds answer = microseconds(300)) {
		send(now, request);
		acked(now + answer);
		receive(now + answer, response);
		read_all();
		send_ack(now + answer + microseconds(50));
	}

	/// A write after a silence is about to be made.
	Event reuse(Nanoseconds now, bool farewell = false) {
		Event event = full(EventKind::reuse, now);
		event.old_state = event.new_state = state_;
		event.farewell = farewell;
		event.actor = actor_;
		return event;
	}

	/// FIN processed: state CLOSE_WAIT, rcv_nxt one more.
	Event peer_fin(Nanoseconds now) {
		view_.rcv_nxt++;
		fin_seen_ = true;
		Event event = full(EventKind::peer_fin, now);
		event.old_state = state_;
		event.new_state = state_ = TcpState::close_wait;
		fin_time_ = now;
		fin_write_seq_ = view_.write_seq;
		return event;
	}

	/// Payload accepted in CLOSE_WAIT.
	Event late_write(Nanoseconds now, std::uint32_t bytes, PayloadHead head = PayloadHead::other,
	                 std::uint16_t record_length = 0) {
		const bool first_request = late_ && late_->head == PayloadHead::http2_control &&
		                           head != PayloadHead::http2_control;
		if (!late_ || first_request) {
			late_ = late_.value_or(LateWrite{});
			late_->time = now;
			late_->unread = view_.rcv_nxt - view_.copied_seq;
			late_->copied_seq = view_.copied_seq;
			late_->head = head;
			late_->record_length = record_length;
			late_->writer = actor_;
		}
		send(now, bytes);
		late_->bytes = view_.write_seq - fin_write_seq_;
		late_->writes++;
		return full(EventKind::late_write, now);
	}

	/// The same where no hook sees it: whatever event comes next finds it.
	void unseen_late_write(Nanoseconds now, std::uint32_t bytes) {
		late_write(now, bytes, PayloadHead::unknown);
		late_->writer.reset();
		late_->time_known = late_->begin_seen = false;
		late_->writes = 0;
	}

	/// A scan passes the socket.
	Event late_scan(Nanoseconds now) { return full(EventKind::late_write, now); }

	Event read_after_late_write(Nanoseconds now) {
		late_->read_afterwards = true;
		return full(EventKind::late_write, now);
	}

	/// Where no hook reports it: only copied_seq moves.
	void read_eof() { view_.copied_seq = view_.rcv_nxt; }

	/// A send failed: the connection is gone.
	Event refused_write(Nanoseconds now) {
		Event event = bare(EventKind::refused_write, now);
		event.actor = actor_;
		event.write_seq = view_.write_seq;
		event.copied_seq = view_.copied_seq;
		return event;
	}

	Event eof_read(Nanoseconds now, bool peek = false) {
		Event event = bare(EventKind::eof_read, now);
		event.peek = peek;
		return event;
	}

	/// An RST came in.
	Event reset(Nanoseconds now) {
		Event event = full(EventKind::end, now);
		event.old_state = state_;
		event.new_state = state_ = TcpState::close;
		event.error = event.old_state == TcpState::close_wait ? EPIPE : ECONNRESET;
		return event;
	}

	/// close() by the application in CLOSE_WAIT or ESTABLISHED, with nothing unread.
	Event close(Nanoseconds now) {
		const bool short_record = state_ == TcpState::close_wait && !late_;
		Event event = short_record ? bare(EventKind::released, now) : full(EventKind::close, now);
		event.old_state = state_;
		state_ = state_ == TcpState::close_wait ? TcpState::last_ack : TcpState::fin_wait1;
		event.new_state = state_;
		event.shutdown = 3;
		event.actor = actor_;
		return event;
	}

	/// close() with unread bytes: the kernel aborts.
	Event abort(Nanoseconds now) {
		Event event = full(EventKind::end, now);
		event.old_state = state_;
		event.new_state = state_ = TcpState::close;
		event.shutdown = 3;
		event.actor = actor_;
		return event;
	}

	/// LAST_ACK is over: our FIN was acknowledged.
	Event last_ack(Nanoseconds now) {
		Event event = full(EventKind::end, now);
		event.old_state = TcpState::last_ack;
		event.new_state = state_ = TcpState::close;
		event.shutdown = 3;
		event.orphan = true;
		return event;
	}

	Event destroyed(Nanoseconds now) {
		Event event = full(EventKind::end, now);
		event.old_state = event.new_state = TcpState::close;
		event.shutdown = 3;
		event.destroyed = true;
		return event;
	}

	Event inventory(Nanoseconds now, Nanoseconds last_ack_age) {
		Event event = full(EventKind::inventory, now);
		event.view->ack_age_ticks = static_cast<std::uint32_t>(last_ack_age / tick);
		return event;
	}

	Event owner(Nanoseconds now, std::int32_t pid, const char* command) {
		Event event = bare(EventKind::owner, now);
		event.actor = Actor{pid, command};
		return event;
	}

	/// The event as it would be emitted now, for a rule that is asked directly.
	Event full(EventKind kind, Nanoseconds now) {
		Event event = bare(kind, now);
		view_.clock_us = us(now);
		view_.send_age_ticks = static_cast<std::uint32_t>(now / tick - last_send_ / tick);
		view_.receive_age_ticks = static_cast<std::uint32_t>(now / tick - last_receive_ / tick);
		if (exchange_) {
			view_.exchange = exchange_->view(now, tick);
		}
		event.view = view_;
		event.late = late_;
		if (late_ && !late_->time_known) {
			event.late->time = now;
			event.late->unread = view_.rcv_nxt - view_.copied_seq;
			event.late->copied_seq = view_.copied_seq;
		}
		return event;
	}

	[[nodiscard]] SocketView& view() { return view_; }
	[[nodiscard]] std::uint64_t cookie() const { return cookie_; }
	void backlog_inherited() { inherited_backlog_ = true; }
	void in_state(TcpState state) { state_ = state; }

  private:
	static std::uint64_t us(Nanoseconds time) {
		return static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(time).count());
	}

	[[nodiscard]] ExchangeRecord::Numbers numbers() const {
		return {view_.write_seq, view_.rcv_nxt, view_.copied_seq, last_send_, last_receive_};
	}

	/// As the kernel side does: the record comes late, and is as if it had been there from the beginning.
	void note_send(Nanoseconds now) {
		if (!view_.receives_seen || state_ != TcpState::established) {
			return;
		}
		const bool needed = view_.bytes_received != 0 ||
		                    (view_.bytes_sent != 0 && now - last_send_ >= shortest_pause);
		if (!exchange_ && needed) {
			begin_exchange();
		}
		if (exchange_) {
			exchange_->note_send(numbers(), now, actor_.pid);
		}
	}

	void begin_exchange() {
		ExchangeRecord::Numbers first = numbers();
		first.rcv_nxt = first.copied_seq = 5000;
		first.write_seq = 1000;
		exchange_.emplace();
		exchange_->begin(first);
		if (view_.bytes_sent != 0) {
			exchange_->note_send(first, last_send_, actor_.pid);
		}
		exchange_->note_receive(numbers());
	}

	void note_receive(std::uint32_t copied_before) {
		const Nanoseconds pause = last_receive_ - last_send_;
		if (exchange_) {
			exchange_->note_receive(numbers());
		} else if (view_.receives_seen && view_.bytes_sent != 0 && copied_before != 5000 &&
		           copied_before != view_.copied_seq && pause >= shortest_pause) {
			begin_exchange();
			exchange_->note_last_words(copied_before, pause);
		}
	}

	void transmit(Nanoseconds now) {
		view_.rcv_wup = view_.rcv_nxt;
		view_.last_tx_ns = us(now) * 1000;
	}

	Event bare(EventKind kind, Nanoseconds now) {
		Event event;
		event.kind = kind;
		event.time = now;
		event.cookie = cookie_;
		event.netns = 4026531840;
		event.old_state = event.new_state = state_;
		event.peer_fin_seen = fin_seen_;
		event.inherited_backlog = inherited_backlog_ || role_ == Role::passive;
		event.local = {address_from_ipv4({127, 0, 0, 1}), 41230};
		event.remote = {address_from_ipv4({10, 0, 0, 7}), 8080};
		return event;
	}

	Role role_;
	std::uint64_t cookie_;
	SocketView view_;
	Actor actor_;
	TcpState state_ = TcpState::established;
	Nanoseconds last_send_{};
	Nanoseconds last_receive_{};
	std::optional<ExchangeRecord> exchange_;
	Nanoseconds fin_time_{};
	std::uint32_t fin_write_seq_ = 0;
	std::optional<LateWrite> late_;
	bool fin_seen_ = false;
	bool inherited_backlog_ = false;
};

} // namespace stalesock::test
