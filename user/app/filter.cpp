// SPDX-License-Identifier: Apache-2.0
#include "app/filter.hpp"

#include "model/escape.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stalesock {

namespace {

bool matches_endpoints(const VerdictFilter& filter, const Endpoint& local, const Endpoint& remote) {
	if (filter.remote && *filter.remote != remote) {
		return false;
	}
	return !filter.port || *filter.port == local.port || *filter.port == remote.port;
}

} // namespace

bool matches(const VerdictFilter& filter, const Verdict& verdict) {
	if (!filter.kinds.empty() &&
	    std::find(filter.kinds.begin(), filter.kinds.end(), verdict.kind) == filter.kinds.end()) {
		return false;
	}
	if (severity_of(verdict.kind) < filter.min_severity) {
		return false;
	}
	if (filter.pid && verdict.owner.pid != filter.pid) {
		return false;
	}
	return matches_endpoints(filter, verdict.connection.local, verdict.connection.remote);
}

bool matches(const VerdictFilter& filter, const Event& event) {
	return matches_endpoints(filter, event.local, event.remote);
}

bool matches_unit(const VerdictFilter& filter, const Owner& owner) {
	return !filter.unit || owner.unit == filter.unit;
}

std::string describe(const VerdictFilter& filter) {
	std::vector<std::string> parts;
	for (const VerdictKind kind : filter.kinds) {
		parts.push_back(fmt::format("verdict {}", to_string(kind)));
	}
	if (filter.min_severity != Severity::info) {
		parts.push_back(fmt::format("severity {} and above", to_string(filter.min_severity)));
	}
	if (filter.remote) {
		parts.push_back(fmt::format("remote {}", to_string(*filter.remote)));
	}
	if (filter.port) {
		parts.push_back(fmt::format("port {}", *filter.port));
	}
	if (filter.pid) {
		parts.push_back(fmt::format("pid {}", *filter.pid));
	}
	if (filter.unit) {
		parts.push_back(fmt::format("unit {}", escape_untrusted(*filter.unit)));
	}
	return fmt::format("{}", fmt::join(parts, ", "));
}

} // namespace stalesock
