// SPDX-License-Identifier: Apache-2.0
// The four parts of the benchmark.
#pragma once

#include "report.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Size {
	std::uint32_t rounds = 20;
	std::uint32_t connections = 20'000; ///< in a round
	std::uint32_t messages = 200'000;
	std::uint32_t events = 2'000'000;
	bool bcc = true;
	std::vector<std::string> builds; ///< other builds of this program to compare with
};

/// Programs on an established connection with nothing to report.
[[nodiscard]] Table measure_idle_programs(const Size& size);
/// Connect, two messages, close: untraced, with us, with bcc's tools; side by side.
[[nodiscard]] Table measure_connections(const Size& size);
/// Which program costs how much of a connection.
[[nodiscard]] Table measure_programs_of_a_connection(const Size& size);
/// decode + track + judge.
[[nodiscard]] Table measure_user_side(const Size& size);
[[nodiscard]] Table measure_memory(const Size& size);

} // namespace bench
