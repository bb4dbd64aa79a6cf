// SPDX-License-Identifier: Apache-2.0
// How a table of verdicts is read. A row has `every(facts, visit)`, which gives each of its columns together with its fact
// to `visit` until that returns false, and `says` and `note`.
#pragma once

#include "verdict/fact.hpp"
#include "verdict/weigher.hpp"

#include <algorithm>
#include <span>

namespace stalesock {

/// The first row whose columns all match decides. Null: there is none.
template <typename Row, typename Facts>
[[nodiscard]] const Row* first_match(std::span<const Row> table, const Facts& facts) {
	const auto matches = [](const auto& column, const auto& fact) {
		return column.matches(value_of(fact));
	};
	const auto found = std::find_if(table.begin(), table.end(),
	                                [&](const Row& row) { return row.every(facts, matches); });
	return found == table.end() ? nullptr : &*found;
}

/// Of the facts that the row reads, and of what it takes for granted.
template <typename Row, typename Facts>
[[nodiscard]] Certainty weigh(const Row& row, const Facts& facts) {
	Weigher weigher;
	(void)row.every(facts, [&weigher]<typename Value>(const Of<Value>& column, const auto& fact) {
		weigher.read(column, fact);
		return true;
	});
	if (row.says && !row.note.empty()) {
		weigher.add(Confidence::likely, row.note);
	}
	return weigher.take();
}

} // namespace stalesock
