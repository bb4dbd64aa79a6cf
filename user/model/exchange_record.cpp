// SPDX-License-Identifier: Apache-2.0
#include "model/exchange_record.hpp"

#include <algorithm>
#include <limits>

namespace stalesock {

namespace {

/// As differences of jiffies are: of two times that were counted in ticks.
std::uint32_t ticks_between(Nanoseconds then, Nanoseconds now, Nanoseconds tick) {
	constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
	return static_cast<std::uint32_t>(std::clamp<std::int64_t>(now / tick - then / tick, 0, most));
}

} // namespace

void ExchangeRecord::begin(const Numbers& numbers) {
	record_ = {};
	record_.turn_write_seq = numbers.write_seq;
	record_.turn_rcv_nxt = record_.send_rcv_nxt = record_.read_rcv_nxt = numbers.rcv_nxt;
	record_.send_copied_seq = record_.read_seq = record_.words_seq = numbers.copied_seq;
	turn_began_ = numbers.last_send;
	read_arrived_ = numbers.last_receive;
}

void ExchangeRecord::note_send(const Numbers& numbers, Nanoseconds now, std::int32_t pid) {
	record_.pauses = 0;
	record_.send_rcv_nxt = numbers.rcv_nxt;
	if (record_.send_copied_seq == numbers.copied_seq && record_.turns != 0) {
		const bool paused = now - numbers.last_send >= shortest_pause;
		record_.lone_sends += paused && numbers.rcv_nxt == record_.turn_rcv_nxt ? 1 : 0;
		return;
	}
	record_.lone_sends = 0;
	record_.send_copied_seq = numbers.copied_seq;
	record_.turn_write_seq = numbers.write_seq;
	record_.turn_rcv_nxt = numbers.rcv_nxt;
	record_.turn_pid = pid;
	record_.turns++;
	turn_began_ = now;
}

void ExchangeRecord::note_receive(const Numbers& numbers) {
	if (record_.read_seq == numbers.copied_seq) {
		return;
	}
	const Nanoseconds pause = numbers.last_receive - read_arrived_;
	const auto read = static_cast<std::int32_t>(record_.read_seq - record_.send_copied_seq);
	if (pause >= shortest_pause && read > 0) {
		record_.words_seq = record_.read_seq;
		record_.pauses++;
		pause_ = pause;
	}
	record_.read_seq = numbers.copied_seq;
	record_.read_rcv_nxt = numbers.rcv_nxt;
	read_arrived_ = numbers.last_receive;
}

void ExchangeRecord::note_last_words(std::uint32_t words_seq, Nanoseconds pause) {
	record_.words_seq = words_seq;
	record_.pauses = 2; // there may have been one before
	pause_ = pause;
}

Exchange ExchangeRecord::view(Nanoseconds now, Nanoseconds tick) const {
	Exchange exchange = record_;
	exchange.turn_age_ticks = ticks_between(turn_began_, now, tick);
	exchange.read_age_ticks = ticks_between(read_arrived_, now, tick);
	exchange.words_pause_ticks = static_cast<std::uint32_t>(pause_ / tick);
	return exchange;
}

} // namespace stalesock
