// SPDX-License-Identifier: Apache-2.0
#include "verdict/finding.hpp"

#include <algorithm>
#include <cerrno>

namespace stalesock {

Reading reading_of(const Event& event, Nanoseconds tick) {
	const bool by_segment = event.kind == EventKind::peer_fin ||
	                        (event.kind == EventKind::end && event.error == ECONNRESET);
	return {*event.view, event.peer_fin_seen, by_segment, tick};
}

std::optional<Reading> reading_at_fin(const Connection& connection, Nanoseconds tick) {
	if (!connection.fin || !connection.fin->view) {
		return std::nullopt;
	}
	return Reading{*connection.fin->view, true, true, tick};
}

Evidence evidence_of(const Reading& reading, const Connection& connection) {
	const SocketView& view = reading.view;
	Evidence evidence;
	evidence.idle = send_age(reading);
	evidence.receive_age = receive_age(reading);
	evidence.unread_bytes = unread_bytes(reading);
	evidence.bytes_sent = view.bytes_sent;
	evidence.bytes_received = view.bytes_received;
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

Evidence evidence_of_late_write(const Connection& connection, Nanoseconds tick) {
	const FinFacts& fin = *connection.fin;
	const LateWrite& late = *fin.late;
	Evidence evidence;
	if (const auto reading = reading_at_fin(connection, tick)) {
		evidence = evidence_of(*reading, connection);
		evidence.unacked_at_fin = unacked_bytes(reading->view);
	}
	if (late.time_known) {
		// The FIN counts as one until it is read.
		const bool fin_unread = late.unread > 0;
		evidence.unread_bytes = late.unread - (fin_unread ? 1U : 0U);
		evidence.fin_to_write = std::max(Nanoseconds::zero(), late.time - fin.time);
		evidence.eof_read = fin.eof_read;
		evidence.peeked = fin.eof_peeked;
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

void infer(Finding& finding, Confidence confidence, std::string_view fact) {
	finding.confidence = std::min(finding.confidence, confidence);
	finding.inferred += finding.inferred.empty() ? "" : "; ";
	finding.inferred += fact;
}

} // namespace stalesock
