// SPDX-License-Identifier: Apache-2.0
#include "verdict/finding.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace stalesock {

Reading reading_of(const Event& event, Nanoseconds tick) {
	const bool by_tcp = event.kind == EventKind::peer_fin || event.kind == EventKind::retransmit ||
	                    (event.kind == EventKind::end && event.error == ECONNRESET);
	return {*event.view, event.peer_fin_seen, by_tcp, tick};
}

std::optional<Reading> reading_at_fin(const Connection& connection, Nanoseconds tick) {
	if (!connection.fin || !connection.fin->view) {
		return std::nullopt;
	}
	return Reading{*connection.fin->view, true, true, tick};
}

namespace {

/// An answer that took less is no reason to leave the send's age, which is exact, for the receive's, which is to the
/// tick and to jiffies that lag.
constexpr Nanoseconds quick_answer = std::chrono::milliseconds(50);
/// TCP_DELACK_MAX of the kernel.
constexpr Nanoseconds longest_ack_delay = std::chrono::milliseconds(200);

Belief known(bool fact) {
	return fact ? Belief::yes : Belief::no;
}

/// If what came with the FIN is not acknowledged yet, our last segment may be the ACK of an answer, and soon after it; or
/// it answered a keepalive probe, or was one.
bool may_have_answered_late(const Reading& reading) {
	const Nanoseconds acknowledged = transmit_age(reading.view);
	return acknowledged >= idle_threshold && send_age(reading) - acknowledged >= longest_ack_delay;
}

/// What came with the FIN hides when the answer came.
Nanoseconds idle_before_last_words(const Reading& reading) {
	return may_have_answered_late(reading) ? transmit_age(reading.view) : send_age(reading);
}

/// The beginning of the count is not known of a connection that was open before.
std::optional<std::uint64_t> turns_of(const SocketView& view, const Connection& connection) {
	if (!connection.opened_known || !view.receives_seen || view.bytes_sent == 0) {
		return std::nullopt;
	}
	return view.exchange ? view.exchange->turns : 1;
}

} // namespace

/// A server's timer begins with its answer, and it is
/// over with the close_notify that it may send long before its FIN.
Nanoseconds idle_at_close(const Reading& reading) {
	const Nanoseconds sent = send_age(reading);
	const Nanoseconds received = receive_age(reading);
	if (reading.view.bytes_sent == 0 || sent - received < quick_answer ||
	    !answered_since_last_write(reading)) {
		return sent;
	}
	if (received < idle_threshold) {
		return was_idle(reading) >= Belief::probably ? idle_before_last_words(reading) : received;
	}
	return ends_with_close_notify(reading) ? sent - received : received;
}

Belief was_idle(const Reading& reading) {
	if (reading.view.bytes_sent == 0) {
		return known(send_age(reading) >= idle_threshold); // since the handshake
	}
	if (receive_age(reading) >= idle_threshold) {
		return Belief::yes;
	}
	if (send_age(reading) < idle_threshold) {
		return Belief::no;
	}
	return only_last_words(reading, idle_threshold);
}

bool ends_with_close_notify(const Reading& reading) {
	const std::uint32_t unread = unread_bytes(reading);
	return is_close_notify_size(unread) || unread == padded_close_notify;
}

Evidence evidence_of_close(const Reading& reading, const Connection& connection) {
	Evidence evidence = evidence_of(reading, connection);
	const Nanoseconds idle = idle_at_close(reading);
	if (idle != *evidence.idle) {
		evidence.send_age = std::exchange(evidence.idle, idle);
	}
	return evidence;
}

Evidence evidence_of(const Reading& reading, const Connection& connection) {
	const SocketView& view = reading.view;
	Evidence evidence;
	evidence.idle = send_age(reading);
	evidence.receive_age = receive_age(reading);
	if (connection.sight == Sight::socket) {
		evidence.unread_bytes = unread_bytes(reading);
	}
	if (!view.partial) {
		evidence.bytes_sent = view.bytes_sent;
		evidence.bytes_received = view.bytes_received;
	}
	evidence.turns = turns_of(view, connection);
	if (view.srtt_us != 0) {
		evidence.round_trip = std::chrono::microseconds(view.srtt_us);
	}
	if (view.retransmits != 0) {
		evidence.retransmits = view.retransmits;
	}
	if (connection.keepalive_probes != 0) {
		evidence.keepalive_probes = connection.keepalive_probes;
	}
	return evidence;
}

/// The FIN's number is read exactly when the end of file is, unless bytes lay before it: those take it along.
std::optional<bool> eof_read_before(const FinFacts& fin, const LateWrite& late) {
	if (fin.eof_read) {
		return true;
	}
	if (late.unread != 0) {
		return false;
	}
	const bool bare_fin = fin.view && fin.view->rcv_nxt - fin.view->copied_seq == 1;
	if (bare_fin) {
		return true;
	}
	// Where the kernel side keeps a record, whoever reads the end of file is told.
	const bool would_be_told = fin.history_known && fin.view && fin.view->exchange;
	return would_be_told ? std::optional(false) : std::nullopt;
}

Evidence evidence_of_late_write(const Connection& connection, Nanoseconds tick) {
	const FinFacts& fin = *connection.fin;
	const LateWrite& late = *fin.late;
	Evidence evidence;
	if (const auto reading = reading_at_fin(connection, tick)) {
		evidence = evidence_of_close(*reading, connection);
		evidence.unacked_at_fin = unacked_bytes(reading->view);
	}
	if (late.time_known) {
		// The FIN counts as one until it is read.
		const bool fin_unread = late.unread > 0;
		evidence.fin_to_write = std::max(Nanoseconds::zero(), late.time - fin.time);
		const bool history_known = fin.history_known && connection.sight == Sight::socket;
		if (connection.sight == Sight::socket) {
			evidence.unread_bytes = late.unread - (fin_unread ? 1U : 0U);
			evidence.eof_read = eof_read_before(fin, late);
		}
		if (history_known || fin.eof_peeked) {
			evidence.peeked = fin.eof_peeked;
		}
	} else { // what was read before the write cannot be told from what was read after it
		evidence.unread_bytes.reset();
	}
	evidence.bytes_after_fin = late.bytes;
	evidence.rst_received = fin.rst_received;
	if (late.head != PayloadHead::unknown) {
		evidence.late_head = to_string(late.head);
	}
	return evidence;
}

void admit_sight(Finding& finding, const Connection& connection) {
	if (connection.sight == Sight::wire_elsewhere) {
		infer(finding, Confidence::likely, "when segments came to this end and left it");
	}
}

void admit_losses(Finding& finding, const SocketView& view) {
	if (view.lossy) {
		infer(finding, Confidence::likely, "what the capture has lost");
	}
}

void infer(Finding& finding, Confidence confidence, std::string_view fact) {
	finding.confidence = std::min(finding.confidence, confidence);
	finding.inferred += finding.inferred.empty() ? "" : "; ";
	finding.inferred += fact;
}

} // namespace stalesock
