// SPDX-License-Identifier: Apache-2.0
// Which verdict the facts of a late write make.
#pragma once

#include "verdict/end_table.hpp"
#include "verdict/late_facts.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace stalesock {

/// As EndRow.
struct LateRow {
	Of<OtherHolder> holder{};
	Of<Begun> begun{};
	Of<LateBytes> bytes{};
	Of<Continues> continues{};
	Of<Fate> fate{};
	Of<Then> then{};
	std::optional<VerdictKind> says{};
	std::string_view note{};
};

/// Total.
[[nodiscard]] std::span<const LateRow> late_table();
[[nodiscard]] const LateRow* find_row(const LateFacts& facts);
[[nodiscard]] Certainty certainty_of(const LateRow& row, const LateFacts& facts);

} // namespace stalesock
