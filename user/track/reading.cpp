// SPDX-License-Identifier: Apache-2.0
#include "track/reading.hpp"

#include <algorithm>

namespace stalesock {

namespace {

constexpr std::uint64_t nanoseconds_per_microsecond = 1000;

Nanoseconds ticks(std::uint32_t count, Nanoseconds tick) {
	return tick * count;
}

std::uint32_t received_seq(const Reading& reading) {
	return reading.view.rcv_nxt - (reading.fin_received ? 1U : 0U);
}

/// The segment sent last is the one first_tx_us stands for.
bool last_segment_is_last_write(const Reading& reading) {
	return !reading.paced &&
	       reading.view.last_tx_ns / nanoseconds_per_microsecond == reading.view.first_tx_us;
}

} // namespace

std::uint32_t unread_bytes(const Reading& reading) {
	const std::uint32_t unread = received_seq(reading) - reading.view.copied_seq;
	// The FIN itself has been read: copied_seq is one ahead.
	return unread > reading.view.bytes_received ? 0 : unread;
}

std::uint32_t unacked_bytes(const SocketView& view) {
	return view.write_seq - view.snd_una;
}

bool flight_untouched(const SocketView& view) {
	return unacked_bytes(view) > 0 && view.first_tx_us == view.delivered_us;
}

Nanoseconds send_age(const Reading& reading) {
	const Nanoseconds coarse = ticks(reading.view.send_age_ticks, reading.tick);
	if (reading.view.clock_us < reading.view.first_tx_us || reading.view.first_tx_us == 0) {
		return coarse;
	}
	const auto exact =
	    std::chrono::microseconds(reading.view.clock_us - reading.view.first_tx_us);
	const Nanoseconds difference = exact > coarse ? exact - coarse : coarse - exact;
	return difference <= 2 * reading.tick ? Nanoseconds(exact) : coarse;
}

Nanoseconds receive_age(const Reading& reading) {
	return ticks(reading.view.receive_age_ticks, reading.tick);
}

Nanoseconds gap_before_send(const Reading& reading) {
	return std::max(Nanoseconds::zero(), receive_age(reading) - send_age(reading));
}

bool answered_since_last_write(const Reading& reading) {
	const SocketView& view = reading.view;
	if (view.bytes_received == 0) {
		return false;
	}
	// What the peer sent without having seen any of this flight answers something else, or it is the
	// early end of an exchange of which we still send: then the answer is more than a parting record.
	if (flight_untouched(view)) {
		return unread_bytes(reading) > longest_parting_record;
	}
	if (view.rcv_wup != received_seq(reading)) {
		return true;
	}
	if (view.receive_age_ticks != view.send_age_ticks) {
		return view.receive_age_ticks < view.send_age_ticks;
	}
	return !last_segment_is_last_write(reading);
}

bool only_last_words(const Reading& reading, Nanoseconds quiet) {
	const SocketView& view = reading.view;
	const std::uint64_t last_sent_us = view.last_tx_ns / nanoseconds_per_microsecond;
	if (reading.paced || last_segment_is_last_write(reading) || view.clock_us < last_sent_us) {
		return false;
	}
	return std::chrono::microseconds(view.clock_us - last_sent_us) >= quiet;
}

} // namespace stalesock
