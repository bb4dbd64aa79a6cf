// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/// The value below which this share of the values lies; 0 when there are none.
[[nodiscard]] inline double quantile(std::vector<double> values, double share) {
	std::sort(values.begin(), values.end());
	const double last = static_cast<double>(values.size()) - 1;
	return values.empty() ? 0 : values[static_cast<std::size_t>(share * last)];
}

[[nodiscard]] inline double median(const std::vector<double>& values) {
	return quantile(values, 0.5);
}

} // namespace bench
