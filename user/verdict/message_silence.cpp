// SPDX-License-Identifier: Apache-2.0
#include "verdict/message.hpp"
#include "verdict/message_parts.hpp"
#include "verdict/observations.hpp"
#include "verdict/path_limits.hpp"

#include <chrono>
#include <fmt/format.h>

namespace stalesock {

namespace {

std::string plural(std::uint64_t count, std::string_view noun) {
	return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// "2.00 s", or "between 5.00 s and 6.00 s" of several servers or a coarse timer.
std::string timeout_text(const PeerFacts& peer) {
	if (peer.spread <= agreement_width(peer.idle_timeout)) {
		return duration_text(peer.idle_timeout);
	}
	return fmt::format("between {} and {}", duration_text(peer.idle_timeout),
	                   duration_text(peer.idle_timeout + peer.spread));
}

std::string path_clause(const Evidence& evidence) {
	if (!evidence.dropped_after) {
		return "";
	}
	const auto known = known_path_limit(*evidence.dropped_after);
	return known
	           ? fmt::format("; {} s is the limit of {}",
	                         std::chrono::duration_cast<std::chrono::seconds>(known->idle).count(),
	                         known->devices)
	           : "";
}

std::string probes_of(const Evidence& evidence) {
	return evidence.keepalive_probes ? plural(*evidence.keepalive_probes, "keepalive probe")
	                                 : "keepalive probes";
}

/// "what it had written was not acknowledged": why the connection timed out.
std::string reason_of(const Evidence& evidence) {
	const std::string timeout = evidence.timeout.value_or("");
	if (timeout == "keepalive") {
		return fmt::format("{} went unanswered", probes_of(evidence));
	}
	if (timeout == "user_timeout") {
		return "its TCP_USER_TIMEOUT passed without an answer";
	}
	if (timeout == "zero_window") {
		return "the peer kept its window closed";
	}
	return "what was written was never acknowledged";
}

} // namespace

std::string early_idle_close_message(const Verdict& verdict) {
	const std::string usual = verdict.peer
	                              ? fmt::format(", far sooner than usual ({}, {})",
	                                            timeout_text(*verdict.peer), support(*verdict.peer))
	                              : "";
	return fmt::format("{} {} the connection of {} after only {} idle{}",
	                   to_string(verdict.connection.remote),
	                   verdict.evidence.rst_received.value_or(false) ? "reset" : "closed",
	                   who(verdict.owner), duration_or_unknown(verdict.evidence.idle), usual);
}

std::string dirty_idle_message(const Verdict& verdict) {
	return fmt::format("{} has left {} B from {} unread for {}: whoever reuses this connection "
	                   "reads them first",
	                   who(verdict.owner), or_zero(verdict.evidence.unread_bytes),
	                   to_string(verdict.connection.remote),
	                   duration_or_unknown(verdict.evidence.receive_age));
}

/// The client has given up; nobody holds a descriptor that could be closed.
std::string unaccepted_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	const std::uint64_t count = evidence.leaked.value_or(1);
	const std::string listener = verdict.owner.pid ? who(verdict.owner) : "the listener";
	return fmt::format("{} has not accepted {} from {} at {}, {} after the client's FIN", listener,
	                   plural(count, "connection"), to_string(verdict.connection.remote.address),
	                   to_string(verdict.connection.local),
	                   duration_or_unknown(evidence.close_wait));
}

std::string close_wait_leak_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	if (!evidence.accepted.value_or(true)) {
		return unaccepted_message(verdict);
	}
	std::string text =
		fmt::format("{} has not closed the connection {} to {} {} after the peer's FIN",
	                who(verdict.owner), to_string(verdict.connection.local),
	                to_string(verdict.connection.remote), duration_or_unknown(evidence.close_wait));
	if (evidence.unread_bytes && *evidence.unread_bytes != 0) {
		text += fmt::format(", with {} B unread", *evidence.unread_bytes);
	}
	if (evidence.eof_read) {
		text += *evidence.eof_read ? ", although it has read the end of file"
		                           : ", and has not read the end of file";
	}
	if (or_zero(evidence.leaked) > 1) {
		text += fmt::format("; it holds {} like this one", plural(*evidence.leaked, "connection"));
		if (evidence.leaking && *evidence.leaking >= std::chrono::seconds(1)) { // else all at once
			text += fmt::format(", the first reported {} ago", duration_text(*evidence.leaking));
		}
	}
	return text;
}

std::string silent_drop_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	const std::string answer =
		evidence.rst_received.value_or(false)
			? fmt::format("got an RST {} later although no FIN ever came",
	                      duration_or_unknown(evidence.idle))
			: fmt::format("got no answer at all for {}, after {}",
	                      duration_or_unknown(evidence.idle),
	                      plural(or_zero(evidence.retransmits), "retransmission"));
	return fmt::format("{} wrote to {} after {} of silence and {}: the path or the peer has "
	                   "forgotten the connection{}",
	                   who(verdict.owner), to_string(verdict.connection.remote),
	                   duration_or_unknown(evidence.gap), answer, path_clause(evidence));
}

std::string peer_unresponsive_message(const Verdict& verdict) {
	return fmt::format("the connection of {} to {} timed out: {}; the last payload came {} before",
	                   who(verdict.owner), to_string(verdict.connection.remote),
	                   reason_of(verdict.evidence),
	                   duration_or_unknown(verdict.evidence.receive_age));
}

std::string pool_mismatch_message(const Verdict& verdict) {
	const std::uint64_t near = or_zero(verdict.evidence.near_misses);
	return fmt::format(
		"{} wrote to {} after {} of silence, close to when that server closes ({}, {}); "
		"{} so far",
		who(verdict.owner), to_string(verdict.connection.remote),
		duration_or_unknown(verdict.evidence.gap),
		verdict.peer ? timeout_text(*verdict.peer) : "unknown",
		verdict.peer ? support(*verdict.peer) : "nothing seen",
		near == 1 ? "1 near miss" : fmt::format("{} near misses", near));
}

std::string keepalive_ineffective_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	return fmt::format("{} closed the connection of {} after {} idle although {} had been "
	                   "answered: TCP keepalive does not extend a server's idle timeout",
	                   to_string(verdict.connection.remote), who(verdict.owner),
	                   duration_or_unknown(evidence.idle), probes_of(evidence));
}

std::string keepalive_late_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	return fmt::format("keepalive of {} begins after {} of silence, but the path to {} forgets "
	                   "connections after {} or sooner{}",
	                   who(verdict.owner), duration_or_unknown(evidence.keepalive_idle),
	                   to_string(verdict.connection.remote),
	                   duration_or_unknown(evidence.dropped_after), path_clause(evidence));
}

} // namespace stalesock
