// SPDX-License-Identifier: Apache-2.0
#include "verdict/advice.hpp"

#include "verdict/path_limits.hpp"
#include "verdict/rules.hpp"
#include "verdict/settings.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace stalesock {

namespace {

/// "pooled connections for less than 4.0 s (keepalive_timeout in the upstream block)"
std::string pool_advice(const Verdict& verdict, std::string_view otherwise) {
	const std::string time =
		verdict.peer
			? fmt::format("for less than {}", limit_text(pool_limit(verdict.peer->idle_timeout)))
			: std::string{otherwise};
	return fmt::format("keep pooled connections {} ({})", time,
	                   pool_setting(verdict.owner.command.value_or(""), verdict.owner.runtime,
	                                verdict.owner.command_line));
}

/// "turn on TCP keepalive with TCP_KEEPIDLE below 350 s, or keep pooled connections for less than that"
std::string path_advice(const Verdict& verdict, std::string_view how) {
	const Evidence& evidence = verdict.evidence;
	if (!evidence.dropped_after) {
		return fmt::format("{} TCP_KEEPIDLE below the idle limit of the path, or keep pooled "
		                   "connections for less time than that",
		                   how);
	}
	const auto known = known_path_limit(*evidence.dropped_after);
	const Nanoseconds limit = known ? known->idle : *evidence.dropped_after;
	return fmt::format(
		"{} TCP_KEEPIDLE well below {} (net.ipv4.tcp_keepalive_time where the program "
		"cannot), or keep pooled connections for less time than that",
		how, limit_text(limit));
}

} // namespace

/// A close before half of the usual idle time was not the idle timer's.
bool closed_early(const Verdict& verdict) {
	return verdict.evidence.idle && verdict.peer &&
	       *verdict.evidence.idle * early_share < verdict.peer->idle_timeout;
}

bool closed_with_response(const Evidence& evidence) {
	return evidence.idle && *evidence.idle <= response_and_fin &&
	       evidence.bytes_received.value_or(0) != 0;
}

Nanoseconds pool_limit(Nanoseconds idle_timeout) {
	const Nanoseconds margin = std::chrono::seconds(1);
	return std::max(idle_timeout / 2, std::min(idle_timeout * 4 / 5, idle_timeout - margin));
}

std::string limit_text(Nanoseconds limit) {
	const double ms = std::max(1.0, std::chrono::duration<double, std::milli>(limit).count());
	const double step = std::pow(10, std::floor(std::log10(ms)) - 1);
	const double rounded = std::round(ms / step) * step;
	constexpr double second = 1000;
	if (rounded < second) {
		return fmt::format("{:.0f} ms", rounded);
	}
	return rounded < 10 * second ? fmt::format("{:.1f} s", rounded / second)
	                             : fmt::format("{:.0f} s", rounded / second);
}

std::string advice_for(const Verdict& verdict) {
	switch (verdict.kind) {
	case VerdictKind::stale_reuse:
		if (closed_with_response(verdict.evidence)) {
			return "the server's last response came with its close (HTTP says so with Connection: "
				   "close): do not put such a connection back into the pool, or read to see the "
				   "end of file before reusing one";
		}
		if (closed_early(verdict)) {
			return "read to see the end of file before reusing a connection: this one was closed "
				   "far "
				   "sooner than that server usually closes idle ones, so no timeout of the client "
				   "prevents this";
		}
		if (verdict.evidence.idle && *verdict.evidence.idle < idle_threshold) {
			return "read to see the end of file before reusing a connection: this one was closed "
				   "so soon, as by a restart of the server, that no timeout of the client prevents "
				   "this";
		}
		return pool_advice(verdict, "for less time than this server keeps idle ones") +
		       ", or read to see the end of file before reusing one";
	case VerdictKind::reuse_race:
		return "a check before reuse cannot prevent this: " +
		       pool_advice(verdict, "for clearly less time than this server keeps idle ones") +
		       ", and retry what is safe to repeat";
	case VerdictKind::unanswered_close:
		return "look for a crash, a limit or a timeout in the server's log: it had the request";
	case VerdictKind::dirty_close:
		return "read what the peer sent before closing, or its last bytes may be lost to the RST";
	case VerdictKind::abandoned_response:
		return "compare the client's timeout with how long this server takes to answer";
	case VerdictKind::early_idle_close:
		return "look whether that server restarted or ran short of connections (nginx, for "
			   "example, "
			   "logs \"reusing connections\": raise worker_connections); no timeout of the client "
			   "prevents this, only a check before reuse does";
	case VerdictKind::dirty_idle:
		return "read a response to its end, or close the connection instead of returning it to the "
			   "pool";
	case VerdictKind::close_wait_leak:
		if (!verdict.evidence.accepted.value_or(true)) {
			return "look why the listener does not call accept(): all its workers are busy or "
				   "stuck; a larger backlog only makes clients wait for longer";
		}
		if (verdict.connection.role == Role::active && !verdict.evidence.eof_read.value_or(true)) {
			return pool_advice(verdict, "for less time than this server keeps idle ones") +
			       ": a pool that looks at a connection only when it needs one keeps those that "
			       "the "
			       "server has closed";
		}
		return "the program must close sockets whose end of file it has read, idle pooled ones "
			   "too: look "
			   "for an error path without close()";
	case VerdictKind::silent_drop: return path_advice(verdict, "turn on TCP keepalive with");
	case VerdictKind::peer_unresponsive:
		return "check the peer's host and the network to it: nothing was heard from its TCP";
	case VerdictKind::pool_mismatch: return pool_advice(verdict, "for less time");
	case VerdictKind::keepalive_ineffective:
		return pool_advice(verdict, "for less time than this server keeps idle ones") +
		       ": probes keep the path open, not the server's HTTP timer";
	case VerdictKind::keepalive_late: return path_advice(verdict, "set");
	default: return {};
	}
}

} // namespace stalesock
