// SPDX-License-Identifier: Apache-2.0
// Which verdict the facts at the peer's FIN or RST make.
#pragma once

#include "verdict/end_facts.hpp"
#include "verdict/weigher.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace stalesock {

/// The first row that matches decides. What a row does not name it does not read.
struct EndRow {
	Of<EndedBy> by{};
	Of<OtherHolder> holder{};
	Of<Farewell> farewell{};
	Of<Direction> direction{};
	Of<Expectation> expectation{};
	Of<Outstanding> outstanding{};
	Of<Answer> answer{};
	Of<Use> use{};
	Of<Quiet> quiet{};
	Of<Taken> taken{};
	std::optional<VerdictKind> says{};
	std::string_view note{}; ///< what is taken for granted for that verdict, or why nothing is said

	/// See table.hpp.
	template <typename Visit> [[nodiscard]] bool every(const EndFacts& facts, Visit visit) const {
		return visit(by, facts.by) && visit(holder, facts.holder) &&
		       visit(farewell, facts.farewell) && visit(direction, facts.direction) &&
		       visit(expectation, facts.expectation) && visit(outstanding, facts.outstanding) &&
		       visit(answer, facts.answer) && visit(use, facts.use) && visit(quiet, facts.quiet) &&
		       visit(taken, facts.taken);
	}
};

/// Total: for every combination of facts there is a row.
[[nodiscard]] std::span<const EndRow> end_table();

/// Null for facts that no row is for: there are none.
[[nodiscard]] const EndRow* find_row(const EndFacts& facts);

/// Of the facts that the row reads.
[[nodiscard]] Certainty certainty_of(const EndRow& row, const EndFacts& facts);

} // namespace stalesock
