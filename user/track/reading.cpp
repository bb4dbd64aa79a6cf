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

std::uint64_t last_tx_us(const SocketView& view) {
	return view.last_tx_ns / nanoseconds_per_microsecond;
}

/// Time on TCP's clock since a stamp of it; 0 for one of the future (a paced segment's).
Nanoseconds since(const SocketView& view, std::uint64_t stamp_us) {
	return std::chrono::microseconds(view.clock_us > stamp_us ? view.clock_us - stamp_us : 0);
}

/// Nothing went out since the peer acknowledged our last write: no ACK of ours for anything it sent
/// after that. Pacing only lets last_tx_ns run ahead, so it never makes this true.
bool silent_since_delivery(const SocketView& view) {
	return last_tx_us(view) < view.delivered_us || last_tx_us(view) == view.first_tx_us;
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
	const SocketView& view = reading.view;
	const bool exact = reading.clock_fresh && view.bytes_sent != 0 &&
	                   view.clock_us >= view.first_tx_us &&
	                   (unacked_bytes(view) == 0 || flight_untouched(view));
	return exact ? since(view, view.first_tx_us) : ticks(view.send_age_ticks, reading.tick);
}

Nanoseconds receive_age(const Reading& reading) {
	const SocketView& view = reading.view;
	Nanoseconds age = ticks(view.receive_age_ticks, reading.tick);
	if (!reading.clock_fresh || view.bytes_received == 0) {
		return age;
	}
	if (view.bytes_sent != 0 && unacked_bytes(view) == 0 && answered_since_last_write(reading)) {
		age = std::min(age, since(view, view.delivered_us));
	}
	if (view.rcv_wup == received_seq(reading)) {
		age = std::max(age, since(view, last_tx_us(view)));
	}
	return age;
}

Nanoseconds gap_before_send(const Reading& reading) {
	const SocketView& view = reading.view;
	return view.receive_age_ticks > view.send_age_ticks
	           ? ticks(view.receive_age_ticks - view.send_age_ticks, reading.tick)
	           : Nanoseconds::zero();
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
	return !silent_since_delivery(view);
}

bool only_last_words(const Reading& reading, Nanoseconds quiet) {
	return reading.clock_fresh && !silent_since_delivery(reading.view) &&
	       since(reading.view, last_tx_us(reading.view)) >= quiet;
}

} // namespace stalesock
