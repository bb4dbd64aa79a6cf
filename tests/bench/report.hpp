// SPDX-License-Identifier: Apache-2.0
// The table: what, target, measured, met or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class Outcome { met, missed, information, unavailable };

struct Row {
	std::string what;
	std::string target; ///< empty: there is none
	std::string measured;
	Outcome outcome = Outcome::information;
};

[[nodiscard]] inline Outcome judge(bool met) {
	return met ? Outcome::met : Outcome::missed;
}

using Table = std::vector<Row>;

void print(std::string_view title, const Table& table);

} // namespace bench
