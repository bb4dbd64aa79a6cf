// SPDX-License-Identifier: Apache-2.0
#include "verdict/advice.hpp"

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
	                   pool_setting(verdict.owner.command.value_or("")));
}

} // namespace

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
	default: return {};
	}
}

} // namespace stalesock
