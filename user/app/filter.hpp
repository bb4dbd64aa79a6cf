// SPDX-License-Identifier: Apache-2.0
// Which verdicts and events are wanted.
#pragma once

#include "model/event.hpp"
#include "verdict/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

struct VerdictFilter {
	std::vector<VerdictKind> kinds; ///< empty: all
	Severity min_severity = Severity::info;
	std::optional<Endpoint> remote;
	std::optional<std::uint16_t> port; ///< local or remote
	std::optional<std::int32_t> pid;
	std::optional<std::string> unit;
};

/// All but the unit, which is not known until it is looked up.
[[nodiscard]] bool matches(const VerdictFilter& filter, const Verdict& verdict);
/// By endpoint only.
[[nodiscard]] bool matches(const VerdictFilter& filter, const Event& event);
[[nodiscard]] bool matches_unit(const VerdictFilter& filter, const Owner& owner);

/// "port 8080, pid 12": for people; empty when nothing is filtered.
[[nodiscard]] std::string describe(const VerdictFilter& filter);

} // namespace stalesock
