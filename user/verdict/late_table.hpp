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

	template <typename Visit> [[nodiscard]] bool every(const LateFacts& facts, Visit visit) const {
		return visit(holder, facts.holder) && visit(begun, facts.begun) &&
		       visit(bytes, facts.bytes) && visit(continues, facts.continues) &&
		       visit(fate, facts.fate) && visit(then, facts.then);
	}
};

/// Total.
[[nodiscard]] std::span<const LateRow> late_table();
[[nodiscard]] const LateRow* find_row(const LateFacts& facts);
[[nodiscard]] Certainty certainty_of(const LateRow& row, const LateFacts& facts);

} // namespace stalesock
