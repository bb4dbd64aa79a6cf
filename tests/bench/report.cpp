// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <cstdio>
#include <fmt/format.h>

namespace bench {

namespace {

std::string_view name_of(Outcome outcome) {
	switch (outcome) {
	case Outcome::met: return "met";
	case Outcome::missed: return "NOT MET";
	case Outcome::unavailable: return "not available";
	case Outcome::information: break;
	}
	return "";
}

} // namespace

void print(std::string_view title, const Table& table) {
	fmt::print("\n{}\n  {:<46} {:>16} {:>42}  {}\n", title, "what", "target", "measured", "");
	for (const Row& row : table) {
		fmt::print("  {:<46} {:>16} {:>42}  {}\n", row.what, row.target, row.measured,
		           name_of(row.outcome));
	}
	std::fflush(stdout);
}

} // namespace bench
