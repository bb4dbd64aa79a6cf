// SPDX-License-Identifier: Apache-2.0
// Nobody closed: the application does not, the peer does not answer, or the path has forgotten us.
#include "verdict/finding.hpp"

#include <array>
#include <cerrno>

namespace stalesock {

namespace {

Finding found(VerdictKind kind, const Situation& situation) {
	const Event& event = *situation.event;
	const Reading reading = reading_of(event, situation.tick);
	Finding finding;
	finding.kind = kind;
	finding.time = event.time;
	finding.evidence = evidence_of(reading, situation.connection);
	finding.evidence.keepalive_idle = keepalive_idle_of(event, situation.tick);
	admit_sight(finding, situation.connection);
	return finding;
}

/// EOF is read exactly when the FIN's sequence number is, unless bytes lay before it: those take it along.
std::optional<bool> eof_was_read(const Situation& situation) {
	const FinFacts& fin = *situation.connection.fin;
	const SocketView& now = *situation.event->view;
	if (fin.eof_read) {
		return true;
	}
	if (now.copied_seq != now.rcv_nxt) {
		return false;
	}
	const bool bare_fin = fin.view && fin.view->rcv_nxt - fin.view->copied_seq == 1;
	return bare_fin ? std::optional(true) : std::nullopt;
}

/// "keepalive", ...: net/ipv4/tcp_timer.c ends a connection with ETIMEDOUT for four reasons.
std::string_view timeout_of(const SocketView& view) {
	const bool outstanding = unacked_bytes(view) != 0;
	if (view.user_timeout_ms != 0) {
		return "user_timeout";
	}
	if (!outstanding) {
		return "keepalive";
	}
	return view.probes_out != 0 ? "zero_window" : "retransmission";
}

/// With the ICMP error that came last, if any, in place of ETIMEDOUT (tcp_write_err).
bool is_timeout(int error) {
	return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}

Finding found_silent_drop(const Situation& situation) {
	Finding finding = found(VerdictKind::silent_drop, situation);
	finding.evidence.gap = silence_before_flight(reading_of(*situation.event, situation.tick));
	finding.evidence.dropped_after = finding.evidence.gap;
	finding.evidence.unread_bytes.reset();
	return finding;
}

std::optional<Finding> unanswered_after_silence(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (situation.connection.silent_drop_told || situation.connection.fin ||
	    silence_before_flight(reading) < shortest_forgetting) {
		return std::nullopt;
	}
	Finding finding = found_silent_drop(situation);
	infer(finding, Confidence::likely,
	      "that the connection was forgotten, and the peer not cut off only now");
	return finding;
}

} // namespace

std::optional<Nanoseconds> keepalive_idle_of(const Event& event, Nanoseconds tick) {
	if (!event.keepalive || !event.view || event.view->keepalive_time_ticks == 0) {
		return std::nullopt;
	}
	return event.view->keepalive_time_ticks * tick;
}

std::optional<Finding> close_wait_leak(const Situation& situation) {
	const Connection& connection = situation.connection;
	if (situation.event->new_state != TcpState::close_wait || !connection.fin ||
	    connection.fin->leak_told) {
		return std::nullopt;
	}
	const Nanoseconds since_fin = situation.event->time - connection.fin->time;
	if (since_fin < situation.limits.close_wait) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::close_wait_leak, situation);
	finding.evidence.idle.reset();
	finding.evidence.close_wait = since_fin;
	if (connection.sight == Sight::socket) {
		finding.evidence.eof_read = eof_was_read(situation);
	}
	if (connection.fin->time_inferred) {
		infer(finding, Confidence::likely, "the time of the FIN");
	}
	return finding;
}

/// The peer has filled the window and waits for the application: the answer is not over.
bool is_slow_reader(const SocketView& view, std::uint32_t unread) {
	constexpr std::uint32_t share = 16;
	return view.receive_window && *view.receive_window < unread / share;
}

std::optional<Finding> dirty_idle(const Situation& situation) {
	const Connection& connection = situation.connection;
	if (connection.role != Role::active || connection.dirty_told ||
	    situation.event->new_state != TcpState::established) {
		return std::nullopt;
	}
	const Reading reading = reading_of(*situation.event, situation.tick);
	const std::uint32_t unread = unread_bytes(reading);
	if (unread == 0 || is_slow_reader(reading.view, unread) ||
	    receive_age(reading) < situation.limits.dirty_idle ||
	    send_age(reading) < situation.limits.dirty_idle) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::dirty_idle, situation);
	if (unread > longest_forgotten) {
		infer(finding, Confidence::likely, "that the application is not merely slow to read");
	}
	if (connection.role_inferred) {
		infer(finding, Confidence::likely, "that we opened the connection");
	}
	return finding;
}

std::optional<Finding> silent_drop(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (send_age(reading) < patience_with_silence) {
		return std::nullopt;
	}
	return unanswered_after_silence(situation);
}

std::optional<Finding> silent_drop_by_timeout(const Situation& situation) {
	const Reading reading = reading_of(*situation.event, situation.tick);
	if (!is_timeout(situation.event->error) || resent_for(reading) < patience_with_silence) {
		return std::nullopt;
	}
	return unanswered_after_silence(situation);
}

std::optional<Finding> silent_drop_by_reset(const Situation& situation) {
	const Event& event = *situation.event;
	const Reading reading = reading_of(event, situation.tick);
	if (!event.bare_rst || silence_before_flight(reading) < shortest_forgetting) {
		return std::nullopt;
	}
	Finding finding = found_silent_drop(situation);
	finding.evidence.rst_received = true;
	infer(finding, Confidence::likely,
	      "that whoever sent the RST, which has no timestamps, knew no such connection");
	return finding;
}

std::optional<Finding> peer_unresponsive(const Situation& situation) {
	const Event& event = *situation.event;
	const Connection& connection = situation.connection;
	const bool late = connection.fin && connection.fin->late;
	if (!is_timeout(event.error) || connection.silent_drop_told || late) {
		return std::nullopt;
	}
	Finding finding = found(VerdictKind::peer_unresponsive, situation);
	finding.evidence.timeout = timeout_of(*event.view);
	if (connection.sight != Sight::socket) {
		infer(finding, Confidence::likely, "that unanswered probes made the kernel give up");
	}
	return finding;
}

std::span<const Rule> rules_at_scan() {
	static constexpr std::array<Rule, 2> rules{close_wait_leak, dirty_idle};
	return rules;
}

std::span<const Rule> rules_at_retransmission() {
	static constexpr std::array<Rule, 1> rules{silent_drop};
	return rules;
}

std::span<const Rule> rules_at_timeout() {
	static constexpr std::array<Rule, 2> rules{silent_drop_by_timeout, peer_unresponsive};
	return rules;
}

} // namespace stalesock
