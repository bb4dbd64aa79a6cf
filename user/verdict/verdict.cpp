// SPDX-License-Identifier: Apache-2.0
#include "verdict/verdict.hpp"

#include <algorithm>
#include <array>

namespace stalesock {

namespace {

struct KindRow {
	VerdictKind kind;
	std::string_view name;
	Severity severity;
};

constexpr std::array<KindRow, verdict_kind_count> kinds{{
	{VerdictKind::stale_reuse, "stale_reuse", Severity::error},
	{VerdictKind::reuse_race, "reuse_race", Severity::warning},
	{VerdictKind::unanswered_close, "unanswered_close", Severity::warning},
	{VerdictKind::dirty_close, "dirty_close", Severity::warning},
	{VerdictKind::abandoned_response, "abandoned_response", Severity::notice},
	{VerdictKind::early_response, "early_response", Severity::info},
	{VerdictKind::half_close_response, "half_close_response", Severity::info},
	{VerdictKind::farewell_write, "farewell_write", Severity::info},
	{VerdictKind::idle_close, "idle_close", Severity::info},
	{VerdictKind::limit_close, "limit_close", Severity::info},
	{VerdictKind::early_idle_close, "early_idle_close", Severity::notice},
	{VerdictKind::dirty_idle, "dirty_idle", Severity::warning},
	{VerdictKind::close_wait_leak, "close_wait_leak", Severity::warning},
	{VerdictKind::silent_drop, "silent_drop", Severity::warning},
	{VerdictKind::peer_unresponsive, "peer_unresponsive", Severity::warning},
	{VerdictKind::pool_mismatch, "pool_mismatch", Severity::warning},
	{VerdictKind::keepalive_ineffective, "keepalive_ineffective", Severity::notice},
	{VerdictKind::keepalive_late, "keepalive_late", Severity::notice},
}};

constexpr std::array<std::string_view, 4> severities{"info", "notice", "warning", "error"};
constexpr std::array<std::string_view, 3> confidences{"possible", "likely", "certain"};

const KindRow& row_of(VerdictKind kind) {
	return *std::find_if(kinds.begin(), kinds.end(),
	                     [&](const KindRow& row) { return row.kind == kind; });
}

} // namespace

std::string_view to_string(VerdictKind kind) {
	return row_of(kind).name;
}

std::string_view to_string(Severity severity) {
	return severities.at(static_cast<std::size_t>(severity));
}

std::string_view to_string(Confidence confidence) {
	return confidences.at(static_cast<std::size_t>(confidence));
}

std::optional<VerdictKind> parse_verdict_kind(std::string_view name) {
	for (const KindRow& row : kinds) {
		if (row.name == name) {
			return row.kind;
		}
	}
	return std::nullopt;
}

std::optional<Severity> parse_severity(std::string_view name) {
	const auto* const found = std::find(severities.begin(), severities.end(), name);
	if (found == severities.end()) {
		return std::nullopt;
	}
	return static_cast<Severity>(found - severities.begin());
}

Severity severity_of(VerdictKind kind) {
	return row_of(kind).severity;
}

} // namespace stalesock
