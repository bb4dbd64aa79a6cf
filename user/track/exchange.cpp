// SPDX-License-Identifier: Apache-2.0
#include "track/exchange.hpp"

#include "model/exchange_record.hpp"

namespace stalesock {

namespace {

bool is_after(std::uint32_t sequence, std::uint32_t other) {
	return static_cast<std::int32_t>(sequence - other) > 0;
}

std::uint32_t received_seq(const Reading& reading) {
	return reading.view.rcv_nxt - (reading.fin_received ? 1U : 0U);
}

/// Of ticks whose difference cannot be negative but for a hook that looked without the socket's lock.
Nanoseconds between(std::uint32_t older, std::uint32_t younger, Nanoseconds tick) {
	return is_after(older, younger) ? (older - younger) * tick : Nanoseconds::zero();
}

/// There was one message, and all of it began before anything was received: that is why there is no record.
Exchange without_record(const Reading& reading) {
	const SocketView& view = reading.view;
	Exchange exchange;
	exchange.turn_rcv_nxt = exchange.send_rcv_nxt = exchange.send_copied_seq =
		received_seq(reading) - static_cast<std::uint32_t>(view.bytes_received);
	const std::uint32_t syn = 1; // bytes_acked counts an active opener's
	exchange.turn_write_seq = view.snd_una - static_cast<std::uint32_t>(view.bytes_acked) + syn;
	exchange.turns = view.bytes_sent == 0 ? 0 : 1;
	return exchange;
}

/// The rest of a request is a part of it. What went out after a pause is a message of its own, also where nothing was
/// read before it.
Outstanding outstanding_of(const Reading& reading, const Exchange& exchange) {
	const SocketView& view = reading.view;
	if (view.snd_una == view.write_seq) {
		return Outstanding::none;
	}
	if (exchange.rest_of_http) {
		return Outstanding::part;
	}
	if (exchange.lone_sends != 0 && flight_untouched(view) &&
	    silence_before_flight(reading) >= shortest_pause) {
		return Outstanding::all;
	}
	return is_after(view.snd_una, exchange.turn_write_seq) ? Outstanding::part : Outstanding::all;
}

/// What came while all of the message was on its way had been said before it arrived. The answer to a request of which
/// the rest is written had been read before that.
Answer answer_of(Outstanding outstanding, std::uint32_t received, const Exchange& exchange) {
	if (exchange.rest_of_http && received == exchange.send_rcv_nxt) {
		return Answer::early;
	}
	if (outstanding == Outstanding::all || received == exchange.turn_rcv_nxt) {
		return Answer::none;
	}
	return received == exchange.send_rcv_nxt ? Answer::early : Answer::yes;
}

/// Unread words came after the last read, which had taken all of the answer that was there; words that were read are what
/// followed on a pause.
std::optional<LastWords> last_words_of(const Reading& reading, const Exchange& exchange) {
	const SocketView& view = reading.view;
	const std::uint32_t received = received_seq(reading);
	if (!is_after(exchange.read_seq, exchange.send_copied_seq)) {
		return std::nullopt; // nothing was read since the last send: what is here answers it
	}
	LastWords words;
	const std::uint32_t since_turn = exchange.turn_age_ticks;
	if (received != exchange.read_rcv_nxt) {
		words.pause = between(exchange.read_age_ticks, view.receive_age_ticks, reading.tick);
		words.bytes = received - exchange.read_rcv_nxt;
		words.age = view.receive_age_ticks * reading.tick;
		words.unread = true;
		words.in_stream = exchange.pauses != 0;
		words.think = between(since_turn, exchange.read_age_ticks, reading.tick);
		return words.pause >= shortest_pause ? std::optional(words) : std::nullopt;
	}
	if (exchange.pauses == 0) {
		return std::nullopt;
	}
	words.pause = exchange.words_pause_ticks * reading.tick;
	words.bytes = exchange.read_seq - exchange.words_seq;
	words.age = exchange.read_age_ticks * reading.tick;
	words.in_stream = exchange.pauses > 1;
	words.think =
		between(since_turn, exchange.read_age_ticks + exchange.words_pause_ticks, reading.tick);
	return words;
}

} // namespace

std::optional<ObservedExchange> observed_exchange(const Connection& connection,
                                                  const Reading& reading) {
	const SocketView& view = reading.view;
	if (!view.exchange && (!connection.opened_known || !view.receives_seen)) {
		return std::nullopt;
	}
	const Exchange exchange = view.exchange.value_or(without_record(reading));
	ObservedExchange seen;
	seen.outstanding = outstanding_of(reading, exchange);
	seen.answer = answer_of(seen.outstanding, received_seq(reading), exchange);
	seen.began_at = exchange.turn_write_seq;
	seen.first = connection.opened_known && exchange.turns <= 1;
	seen.answer_read = view.copied_seq != exchange.send_copied_seq;
	seen.lone_messages = exchange.lone_sends;
	if (view.exchange) {
		seen.last_words = last_words_of(reading, exchange);
	}
	constexpr std::uint32_t enough = 2; // with the one that began the turn: three messages
	seen.one_way = seen.answer == Answer::none && exchange.lone_sends >= enough;
	return seen;
}

bool request_pending(const Reading& reading) {
	const SocketView& view = reading.view;
	if (view.exchange) {
		return received_seq(reading) != view.exchange->send_rcv_nxt;
	}
	if (view.bytes_sent == 0) {
		return view.bytes_received != 0;
	}
	return view.rcv_wup != received_seq(reading) || view.receive_age_ticks < view.send_age_ticks;
}

} // namespace stalesock
