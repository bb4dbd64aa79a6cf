// SPDX-License-Identifier: Apache-2.0
#include "track/reading.hpp"

#include <algorithm>
#include <optional>

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

/// From the send before this flight to the flight.
Nanoseconds gap_between_sends(const SocketView& view) {
	const bool known = view.delivered_tx_us != 0 && view.first_tx_us > view.delivered_tx_us;
	return std::chrono::microseconds(known ? view.first_tx_us - view.delivered_tx_us : 0);
}

/// Surely nothing was sent before, so that what came continues no exchange: after a SYN that was sent again
/// rack.mstamp is not set before the first payload is delivered (tcp_rack_advance).
bool is_first_flight(const SocketView& view) {
	return view.retransmits != 0 && view.delivered_tx_us == 0;
}

/// From the last payload received, or the handshake, to our last send. At least 0.
Nanoseconds receive_to_send(const Reading& reading) {
	const SocketView& view = reading.view;
	const Nanoseconds received = ticks(view.receive_age_ticks, reading.tick);
	// A retransmission moves lsndtime, but not the sent time of the flight.
	const bool resent = view.retransmits != 0 && flight_untouched(view);
	const Nanoseconds sent = resent ? send_age(reading) : ticks(view.send_age_ticks, reading.tick);
	return std::max(received - sent, Nanoseconds::zero());
}

/// Timestamps count milliseconds: one more is needed to be sure of an order.
constexpr std::chrono::microseconds echo_resolution = std::chrono::milliseconds(2);

/// Of a flight of which a part was delivered: the segment delivered last had left before payload came.
bool received_amid_sends(const Reading& reading) {
	const SocketView& view = reading.view;
	return reading.clock_fresh && view.bytes_received != 0 &&
	       since(view, view.first_tx_us) >
	           ticks(view.receive_age_ticks, reading.tick) + reading.tick;
}

/// Any payload arrived after our last write was sent. Within one tick the order is had from two facts: rcv_wup is rcv_nxt
/// at the last segment we sent, and as long as nothing went out since the peer acknowledged our last write, that segment
/// is it.
bool received_since_last_write(const Reading& reading) {
	const SocketView& view = reading.view;
	if (view.bytes_received == 0) {
		return false;
	}
	if (view.rcv_wup != received_seq(reading)) {
		return true;
	}
	if (view.receive_age_ticks != view.send_age_ticks) {
		return view.receive_age_ticks < view.send_age_ticks;
	}
	return !silent_since_delivery(view);
}

/// Bytes that lie unread while a request is under way are its answer unless they can be the last words
/// after an earlier one.
bool early_answer_waits(const Reading& reading) {
	const std::uint32_t unread = unread_bytes(reading);
	return answer_waits(reading) || (unread > 0 && unread == reading.view.bytes_received);
}

/// Age of the newest bare ACK of ours that the peer had seen, by the timestamp it echoed (RFC 7323);
/// nothing when that segment may have been our last write itself.
std::optional<Nanoseconds> newest_ack_seen_by_peer(const SocketView& view) {
	constexpr std::uint64_t microseconds_per_millisecond = 1000;
	if (view.echoed_ms == 0) {
		return std::nullopt;
	}
	const auto now_ms = static_cast<std::uint32_t>(view.clock_us / microseconds_per_millisecond);
	const Nanoseconds age = std::chrono::milliseconds(now_ms - view.echoed_ms);
	if (age + echo_resolution > since(view, view.first_tx_us)) {
		return std::nullopt;
	}
	return age;
}

/// Of the last write where that was quicker than the smoothed estimate, which a slow handshake spoils.
Nanoseconds round_trip(const SocketView& view) {
	const std::uint64_t last = view.delivered_us - view.first_tx_us;
	return std::chrono::microseconds(std::min<std::uint64_t>(view.srtt_us, last));
}

/// How old an ACK is when the peer first echoes it, in general: it travelled, held back for up to
/// TCP_DELACK_MIN before.
Nanoseconds usual_ack_delay(const SocketView& view) {
	constexpr auto delayed_ack = std::chrono::milliseconds(40);
	return std::chrono::microseconds(view.srtt_us) + delayed_ack;
}

/// How old an ACK may be when the peer first echoes it: it travelled, and may have been held back or queued.
/// After longer the peer would have retransmitted (tcp_rto_min, RFC 6298).
Nanoseconds longest_ack_delay(const SocketView& view) {
	constexpr auto shortest_timeout = std::chrono::milliseconds(200);
	return shortest_timeout + 4 * std::chrono::microseconds(view.srtt_us);
}

/// only_last_words() from what the peer echoed alone. That is news only where its ACKs take time to come
/// back: on loopback it has always seen our newest segment.
Belief last_words_by_echo(const SocketView& view, Nanoseconds quiet) {
	const auto acknowledged = newest_ack_seen_by_peer(view);
	if (acknowledged >= quiet + longest_ack_delay(view)) {
		return Belief::yes;
	}
	if (acknowledged >= quiet + usual_ack_delay(view)) {
		return Belief::probably;
	}
	if (view.echoed_ms == 0 || round_trip(view) < 2 * echo_resolution ||
	    since(view, view.first_tx_us) < longest_ack_delay(view)) {
		return Belief::probably_not;
	}
	const bool older_than_last_tx =
		!acknowledged || *acknowledged > since(view, last_tx_us(view)) + echo_resolution;
	return older_than_last_tx && acknowledged.value_or(Nanoseconds::zero()) < quiet
	           ? Belief::no
	           : Belief::probably_not;
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
	const bool nothing_delivered =
		view.first_tx_us == view.delivered_us ||
		(view.retransmits != 0 && view.first_tx_us > view.delivered_tx_us);
	return unacked_bytes(view) > 0 && nothing_delivered;
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

Nanoseconds transmit_age(const SocketView& view) {
	return since(view, last_tx_us(view));
}

bool answer_waits(const Reading& reading) {
	return unread_bytes(reading) > longest_parting_record;
}

Nanoseconds gap_before_send(const Reading& reading) {
	const SocketView& view = reading.view;
	const Nanoseconds since_receive = receive_to_send(reading);
	if (!flight_untouched(view)) {
		return since_receive;
	}
	const Nanoseconds since_send = gap_between_sends(view);
	if (view.bytes_received == 0) { // the send before may be our SYN: the handshake is younger
		return since_send == Nanoseconds::zero() ? since_receive
		                                         : std::min(since_receive, since_send);
	}
	return since_receive > Nanoseconds::zero() ? since_receive : since_send;
}

Nanoseconds silence_before_flight(const Reading& reading) {
	const SocketView& view = reading.view;
	if (!flight_untouched(view)) {
		return Nanoseconds::zero();
	}
	const Nanoseconds since_send = gap_between_sends(view);
	const Nanoseconds since_receive =
		ticks(view.receive_age_ticks, reading.tick) - since(view, view.first_tx_us);
	// Nothing came since the handshake; of what a listener's socket had sent in that no time is kept.
	if (view.bytes_received == 0) {
		return since_send == Nanoseconds::zero() ? std::max(since_receive, Nanoseconds::zero())
		                                         : since_send;
	}
	return std::clamp(since_receive, Nanoseconds::zero(), since_send);
}

Nanoseconds resent_for(const Reading& reading) {
	const SocketView& view = reading.view;
	const bool resent = view.retransmits != 0 && flight_untouched(view);
	const std::uint64_t last = last_tx_us(view);
	return std::chrono::microseconds(resent && last > view.first_tx_us ? last - view.first_tx_us
	                                                                   : 0);
}

bool reused_by_last_write(const Reading& reading) {
	const SocketView& view = reading.view;
	return view.bytes_received > 0 || view.partial || gap_before_send(reading) >= same_request;
}

bool continues_last_send(const Reading& reading) {
	const Nanoseconds gap = gap_between_sends(reading.view);
	return flight_untouched(reading.view) && gap > Nanoseconds::zero() && gap < same_request;
}

bool replied_to_last_words(const Reading& reading) {
	const SocketView& view = reading.view;
	return flight_untouched(view) && view.bytes_received != 0 &&
	       view.receive_age_ticks <= view.send_age_ticks + 1 &&
	       gap_between_sends(view) >= same_request;
}

bool answered_since_last_write(const Reading& reading) {
	if (flight_untouched(reading.view)) {
		return early_answer_waits(reading) && !is_first_flight(reading.view) &&
		       gap_between_sends(reading.view) < same_request;
	}
	if (unacked_bytes(reading.view) != 0 &&
	    (unread_bytes(reading) > 0 || received_amid_sends(reading))) {
		return true;
	}
	return received_since_last_write(reading) || answer_waits(reading);
}

bool acknowledged_before_delivery(const Reading& reading) {
	const SocketView& view = reading.view;
	return view.bytes_received != 0 && view.rcv_wup == received_seq(reading) &&
	       last_tx_us(view) < view.delivered_us;
}

bool received_before_delivery(const Reading& reading) {
	const SocketView& view = reading.view;
	constexpr std::uint32_t granularity = 2; // of a difference of ticks, and of ours to TCP's clock
	return reading.clock_fresh && view.bytes_received != 0 && unacked_bytes(view) == 0 &&
	       ticks(view.receive_age_ticks, reading.tick) >=
	           since(view, view.delivered_us) + granularity * reading.tick;
}

Belief only_last_words(const Reading& reading, Nanoseconds quiet) {
	const SocketView& view = reading.view;
	const std::uint32_t unread = unread_bytes(reading);
	// Words that came before the FIN were not acknowledged yet (delayed ACK): the quiet ends with them.
	const Nanoseconds spoken =
		ticks(std::max(view.receive_age_ticks, 1U) - 1, reading.tick); // at least so long ago
	if (reading.clock_fresh && !silent_since_delivery(view) &&
	    since(view, last_tx_us(view)) >= quiet + spoken) {
		return Belief::yes;
	}
	if (unread != 0 && unread == view.bytes_received) { // there was no answer before
		return Belief::no;
	}
	if (!reading.clock_fresh) {
		return Belief::probably_not;
	}
	const Belief echoed = last_words_by_echo(view, quiet);
	// Of words in two segments the first was acknowledged at once, and the second may echo that.
	const bool parting = unread > 0 && unread <= longest_parting_words;
	if (echoed != Belief::probably_not && !(parting && echoed == Belief::no)) {
		return echoed;
	}
	return parting && since(view, view.delivered_us) >= quiet ? Belief::probably
	                                                          : Belief::probably_not;
}

} // namespace stalesock
