// SPDX-License-Identifier: Apache-2.0
#include "capture/counters.hpp"

#include <algorithm>
#include <limits>

namespace stalesock {

namespace {

std::uint64_t microseconds_of(Nanoseconds time) {
	constexpr std::int64_t nanoseconds_per_microsecond = 1000;
	return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0) /
	                                  nanoseconds_per_microsecond);
}

std::uint32_t ticks_between(Nanoseconds then, Nanoseconds now) {
	constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
	return static_cast<std::uint32_t>(
		std::clamp<std::int64_t>((now - then) / capture_tick, 0, most));
}

} // namespace

void Counters::begin_sending(std::uint32_t next, Nanoseconds now) {
	write_seq_ = snd_una_ = next;
	first_tx_ = last_tx_ = last_send_ = last_ack_ = now;
}

void Counters::begin_receiving(std::uint32_t next, Nanoseconds now) {
	rcv_nxt_ = copied_seq_ = rcv_wup_ = next;
	last_receive_ = now;
}

// The SYN counts as a segment that was delivered.
void Counters::establish(Nanoseconds now) {
	delivered_ = last_ack_ = last_receive_ = now;
	delivered_tx_ = first_tx_;
}

ExchangeRecord::Numbers Counters::numbers() const {
	return {write_seq_, rcv_nxt_, copied_seq_, last_send_, last_receive_};
}

// tcp_rate_skb_sent: a flight begins when nothing is out.
void Counters::send(std::uint32_t end, Nanoseconds now) {
	if (!exchange_begun_) {
		exchange_begun_ = true;
		exchange_.begin(numbers());
	}
	exchange_.note_send(numbers(), now);
	if (all_acknowledged()) {
		first_tx_ = delivered_ = now;
	}
	bytes_sent_ += end - write_seq_;
	write_seq_ = end;
	last_send_ = std::max(last_send_, now);
	turn_complete_ = false;
	note_sent(end, false, now);
}

// lsndtime moves on a retransmission too.
void Counters::send_again(std::uint32_t end, Nanoseconds now) {
	retransmits_++;
	last_send_ = std::max(last_send_, now);
	const auto last = out_.begin() + out_count_;
	const auto found = std::find_if(out_.begin(), last,
	                                [&](const Sent& sent) { return !comes_before(sent.end, end); });
	if (found != last) {
		found->time = std::max(found->time, now);
		found->again = true;
	}
}

void Counters::note_sent(std::uint32_t end, bool again, Nanoseconds now) {
	if (out_count_ == out_.size()) {
		out_count_--;
	}
	out_.at(out_count_++) = {end, again, now};
}

void Counters::transmit(std::uint32_t acknowledgement, Nanoseconds now) {
	last_tx_ = std::max(last_tx_, now);
	rcv_wup_ = acknowledgement;
}

void Counters::read_up_to(std::uint32_t acknowledgement) {
	if (comes_before(copied_seq_, acknowledgement)) {
		copied_seq_ = acknowledgement;
		exchange_.note_receive(numbers());
	}
}

// tcp_rate_skb_delivered: the stamps become those of the segment sent last among the delivered ones.
void Counters::acknowledged(std::uint32_t acknowledgement, bool selective, Nanoseconds now) {
	last_ack_ = now;
	probes_out = 0;
	if (selective) {
		delivered_ = std::max(delivered_, now);
	}
	if (!comes_before(snd_una_, acknowledgement)) {
		return;
	}
	if (comes_before(write_seq_, acknowledgement)) { // sent, and lost by the capture
		note_loss();
		send(acknowledgement, now);
	}
	snd_una_ = acknowledgement;
	last_progress_ = now;
	std::uint8_t covered = 0;
	while (covered < out_count_ && !comes_before(acknowledgement, out_.at(covered).end)) {
		covered++;
	}
	if (covered != 0) {
		const Sent& newest = out_.at(covered - 1U);
		first_tx_ = delivered_tx_ = newest.time;
		if (!newest.again) {
			sample_round_trip(now - newest.time);
		}
		std::move(out_.begin() + covered, out_.begin() + out_count_, out_.begin());
		out_count_ = static_cast<std::uint8_t>(out_count_ - covered);
	}
	delivered_ = now;
}

// What lay there for longer than a request's parts are apart has been read: a reader waits for it.
void Counters::receive(std::uint32_t end, Nanoseconds now) {
	constexpr Nanoseconds surely_read = std::chrono::milliseconds(100);
	if (now - last_receive_ >= surely_read) {
		read_up_to(rcv_nxt_);
	}
	bytes_received_ += end - rcv_nxt_;
	rcv_nxt_ = end;
	last_receive_ = std::max(last_receive_, now);
	turn_complete_ = all_acknowledged();
}

// RFC 6298, 2.
void Counters::forget_times() {
	std::for_each_n(out_.begin(), out_count_, [](Sent& sent) { sent.again = true; });
}

void Counters::sample_round_trip(Nanoseconds sample) {
	sample = std::max(sample, Nanoseconds::zero());
	smoothed_round_trip_ = smoothed_round_trip_ == Nanoseconds::zero()
	                           ? sample
	                           : smoothed_round_trip_ + (sample - smoothed_round_trip_) / 8;
}

bool Counters::flight_untouched() const {
	return !all_acknowledged() &&
	       (first_tx_ == delivered_ || (retransmits_ != 0 && first_tx_ > delivered_tx_));
}

SocketView Counters::view(Nanoseconds now) const {
	SocketView view;
	view.clock_us = microseconds_of(now);
	view.first_tx_us = microseconds_of(first_tx_);
	view.delivered_us = microseconds_of(delivered_);
	view.delivered_tx_us = microseconds_of(delivered_tx_);
	view.last_tx_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(last_tx_.count(), 0));
	view.bytes_sent = bytes_sent_;
	view.bytes_received = bytes_received_;
	view.write_seq = write_seq_;
	view.snd_una = snd_una_;
	view.rcv_nxt = rcv_nxt_;
	view.copied_seq = copied_seq_;
	view.rcv_wup = rcv_wup_;
	view.send_age_ticks = ticks_between(last_send_, now);
	view.receive_age_ticks = ticks_between(last_receive_, now);
	view.ack_age_ticks = ticks_between(last_ack_, now);
	view.srtt_us = static_cast<std::uint32_t>(std::min<std::uint64_t>(
		microseconds_of(smoothed_round_trip_), std::numeric_limits<std::uint32_t>::max()));
	view.retransmits = retransmits_;
	view.echoed_ms = echoed_ms;
	view.probes_out = probes_out;
	view.partial = partial_;
	view.lossy = lossy_;
	view.receives_seen = true;
	if (exchange_begun_) {
		view.exchange = exchange_.view(now, capture_tick);
	}
	return view;
}

} // namespace stalesock
