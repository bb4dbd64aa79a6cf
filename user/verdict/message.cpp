// SPDX-License-Identifier: Apache-2.0
#include "verdict/message.hpp"

#include "model/escape.hpp"
#include "verdict/advice.hpp"
#include "verdict/message_parts.hpp"
#include "verdict/observations.hpp"

#include <fmt/format.h>
#include <vector>

namespace stalesock {

namespace {

/// Whoever opened or holds the connection need not be the one who wrote.
std::string writer(const Owner& owner) {
	if (owner.source == OwnerSource::write || !owner.pid) {
		return who(owner);
	}
	return fmt::format("an unknown process on the connection of {}", who(owner));
}

std::string idle_clause(const Evidence& evidence) {
	if (closed_with_response(evidence)) {
		return ", on a connection that the server had closed together with its response";
	}
	return evidence.idle
	           ? fmt::format(", on a connection that was idle for {} when the server closed it",
	                         duration_text(*evidence.idle))
	           : "";
}

std::string reset_clause(const Evidence& evidence) {
	return evidence.idle ? fmt::format(", which came after {} idle", duration_text(*evidence.idle))
	                     : "";
}

std::string stale_reuse_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	if (evidence.rst_to_write) {
		return fmt::format("{} wrote to {} {} after the server's RST{}: the write failed{}",
		                   who(verdict.owner), to_string(verdict.connection.remote),
		                   duration_text(*evidence.rst_to_write), reset_clause(evidence),
		                   peer_clause(verdict.peer));
	}
	const bool reset = evidence.rst_received.value_or(false);
	return fmt::format("{} wrote {} B to {} {} after the server's FIN{}; {}{}",
	                   writer(verdict.owner), or_zero(evidence.bytes_after_fin),
	                   to_string(verdict.connection.remote),
	                   duration_or_unknown(evidence.fin_to_write), idle_clause(evidence),
	                   reset ? "the server answered with an RST" : "no answer can come",
	                   peer_clause(verdict.peer));
}

std::string reuse_race_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	const std::string gap = evidence.gap && *evidence.gap > Nanoseconds::zero()
	                            ? " after " + duration_text(*evidence.gap) + " of silence"
	                            : "";
	if (evidence.rst_received.value_or(false)) {
		return fmt::format(
			"{} wrote to {}{} and got an RST {} later, without a FIN before: the server "
			"was closing while the request was on the wire{}",
			who(verdict.owner), to_string(verdict.connection.remote), gap,
			duration_or_unknown(evidence.idle), peer_clause(verdict.peer));
	}
	return fmt::format(
		"{} wrote {} B to {}{}, {} before the server's FIN arrived without having seen "
		"them: request and FIN crossed on the wire{}",
		who(verdict.owner), or_zero(evidence.unacked_at_fin), to_string(verdict.connection.remote),
		gap, duration_or_unknown(evidence.idle), peer_clause(verdict.peer));
}

std::string unanswered_close_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	const std::string remote = to_string(verdict.connection.remote);
	const std::string how =
		evidence.rst_received.value_or(false) ? "reset the connection" : "hung up";
	if (or_zero(evidence.unacked_at_fin) != 0) {
		return fmt::format("{} {} without having seen the {} B that {} had just written", remote,
		                   how, *evidence.unacked_at_fin, who(verdict.owner));
	}
	return fmt::format(
		"{} took what {} had written and {} {} after the last write, without an answer", remote,
		who(verdict.owner), how, duration_or_unknown(evidence.idle));
}

std::string dirty_close_message(const Verdict& verdict) {
	return fmt::format("{} closed the connection to {} with {} B unread, so the kernel sent an RST",
	                   who(verdict.owner), to_string(verdict.connection.remote),
	                   or_zero(verdict.evidence.unread_bytes));
}

std::string abandoned_response_message(const Verdict& verdict) {
	const Evidence& evidence = verdict.evidence;
	const std::string waited =
		evidence.receive_age ? " after waiting " + duration_text(*evidence.receive_age) : "";
	return fmt::format(
		"{} wrote {} B to {} {} after the client had closed, and got an RST: the client "
		"gave up{}",
		writer(verdict.owner), or_zero(evidence.bytes_after_fin),
		to_string(verdict.connection.remote), duration_or_unknown(evidence.fin_to_write), waited);
}

std::string half_close_response_message(const Verdict& verdict) {
	return fmt::format("{} answered {} B to {} {} after the client's FIN, and the client took it",
	                   writer(verdict.owner), or_zero(verdict.evidence.bytes_after_fin),
	                   to_string(verdict.connection.remote),
	                   duration_or_unknown(verdict.evidence.fin_to_write));
}

std::string farewell_write_message(const Verdict& verdict) {
	if (!verdict.evidence.bytes_after_fin) {
		return fmt::format("{} said goodbye to {} {} before the peer's end of the connection came, "
		                   "which is harmless",
		                   who(verdict.owner), to_string(verdict.connection.remote),
		                   duration_or_unknown(verdict.evidence.idle));
	}
	const std::string head = verdict.evidence.late_head.value_or("");
	const bool control = head == to_string(PayloadHead::http2_control);
	const std::string what = control                   ? "control frames"
	                         : head.starts_with("tls") ? "a TLS farewell"
	                                                   : "a goodbye";
	return fmt::format("{} wrote {} of {} B to {} {} after the peer's FIN, which is harmless",
	                   writer(verdict.owner), what, or_zero(verdict.evidence.bytes_after_fin),
	                   to_string(verdict.connection.remote),
	                   duration_or_unknown(verdict.evidence.fin_to_write));
}

std::string early_response_message(const Verdict& verdict) {
	return fmt::format("{} answered and closed while {} was still sending its request",
	                   to_string(verdict.connection.remote), who(verdict.owner));
}

std::string idle_close_message(const Verdict& verdict) {
	const bool unused = verdict.evidence.bytes_sent.value_or(1) == 0;
	return fmt::format(
		"{} {} the connection of {} after {} idle{}", to_string(verdict.connection.remote),
		verdict.evidence.rst_received.value_or(false) ? "reset" : "closed", who(verdict.owner),
		duration_or_unknown(verdict.evidence.idle), unused ? ", before a byte was sent" : "");
}

std::string limit_close_message(const Verdict& verdict) {
	const std::string age =
		verdict.connection.age ? ", at the age of " + duration_text(*verdict.connection.age) : "";
	const std::string when =
		closed_with_response(verdict.evidence)
			? "together with"
			: fmt::format("{} after", duration_or_unknown(verdict.evidence.idle));
	return fmt::format("{} closed the connection of {} {} its response{}",
	                   to_string(verdict.connection.remote), who(verdict.owner), when, age);
}

} // namespace

std::string who(const Owner& owner) {
	if (!owner.pid) {
		return "an unknown process";
	}
	return fmt::format("{} (pid {})", escape_untrusted(owner.command.value_or("?")), *owner.pid);
}

std::string place_of(const Owner& owner) {
	constexpr std::size_t short_id = 12; // as docker ps
	std::vector<std::string> parts;
	const std::string id = owner.container.value_or("");
	const bool names_container =
		!id.empty() && owner.unit && owner.unit->find(id) != std::string::npos; // "docker-ID.scope"
	if (owner.unit && !names_container) {
		parts.push_back(escape_untrusted(*owner.unit));
	}
	if (!id.empty()) {
		const std::string shown = id.size() == 64 ? id.substr(0, short_id) : id;
		parts.push_back(escape_untrusted(
			fmt::format("{} {}", owner.container_runtime.value_or("container"), shown)));
	}
	if (owner.pod) {
		parts.push_back(fmt::format("pod {}", escape_untrusted(*owner.pod)));
	}
	return fmt::format("{}", fmt::join(parts, ", "));
}

std::string duration_or_unknown(const std::optional<Nanoseconds>& duration) {
	return duration ? duration_text(*duration) : "an unknown time";
}

std::string support(const PeerFacts& peer) {
	const bool all = peer.remembered < Observations::capacity;
	return all ? fmt::format("{} of {} seen", peer.observations, peer.remembered)
	           : fmt::format("{} of the last {}", peer.observations, peer.remembered);
}

std::string peer_clause(const std::optional<PeerFacts>& peer) {
	if (!peer) {
		return "";
	}
	if (peer->spread <= agreement_width(peer->idle_timeout)) {
		return fmt::format("; that server closes connections idle for {} ({})",
		                   duration_text(peer->idle_timeout), support(*peer));
	}
	return fmt::format("; that server closes idle connections after between {} and {} ({})",
	                   duration_text(peer->idle_timeout),
	                   duration_text(peer->idle_timeout + peer->spread), support(*peer));
}

/// The unit is chosen as the number is rounded: 999.9 ms are "1.00 s".
std::string duration_text(Nanoseconds duration) {
	const double ms = std::chrono::duration<double, std::milli>(duration).count();
	constexpr double second = 1000;
	if (ms >= 99.995 * second) {
		return fmt::format("{:.0f} s", ms / second);
	}
	if (ms >= 999.5) {
		return fmt::format("{:.2f} s", ms / second);
	}
	if (ms >= 99.95) {
		return fmt::format("{:.0f} ms", ms);
	}
	return ms >= 0.995 ? fmt::format("{:.1f} ms", ms) : fmt::format("{:.2f} ms", ms);
}

namespace {

std::string sentence_for(const Verdict& verdict) {
	switch (verdict.kind) {
	case VerdictKind::stale_reuse: return stale_reuse_message(verdict);
	case VerdictKind::reuse_race: return reuse_race_message(verdict);
	case VerdictKind::unanswered_close: return unanswered_close_message(verdict);
	case VerdictKind::dirty_close: return dirty_close_message(verdict);
	case VerdictKind::abandoned_response: return abandoned_response_message(verdict);
	case VerdictKind::early_response: return early_response_message(verdict);
	case VerdictKind::half_close_response: return half_close_response_message(verdict);
	case VerdictKind::farewell_write: return farewell_write_message(verdict);
	case VerdictKind::idle_close: return idle_close_message(verdict);
	case VerdictKind::limit_close: return limit_close_message(verdict);
	case VerdictKind::early_idle_close: return early_idle_close_message(verdict);
	case VerdictKind::dirty_idle: return dirty_idle_message(verdict);
	case VerdictKind::close_wait_leak: return close_wait_leak_message(verdict);
	case VerdictKind::silent_drop: return silent_drop_message(verdict);
	case VerdictKind::peer_unresponsive: return peer_unresponsive_message(verdict);
	case VerdictKind::pool_mismatch: return pool_mismatch_message(verdict);
	case VerdictKind::keepalive_ineffective: return keepalive_ineffective_message(verdict);
	case VerdictKind::keepalive_late: return keepalive_late_message(verdict);
	}
	return {};
}

/// Of another process on this host; empty where the connection leaves it, or stays within one program.
std::string other_end_clause(const Verdict& verdict) {
	if (!verdict.other_end || !verdict.other_end->owner.pid ||
	    verdict.other_end->owner.pid == verdict.owner.pid) {
		return "";
	}
	const OtherEnd& other = *verdict.other_end;
	const std::string name = who(other.owner);
	if (other.close_age) {
		return fmt::format("; the other end is on this host: {} had closed {} before", name,
		                   duration_text(*other.close_age));
	}
	if (other.fin_age) {
		return fmt::format("; the other end is on this host: {} had ended its sending {} before",
		                   name, duration_text(*other.fin_age));
	}
	return fmt::format("; the other end is on this host: {} holds it open", name);
}

} // namespace

std::string message_for(const Verdict& verdict) {
	return sentence_for(verdict) + other_end_clause(verdict);
}

} // namespace stalesock
