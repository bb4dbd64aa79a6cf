// SPDX-License-Identifier: Apache-2.0
// What one end said that nobody answered.
#pragma once

#include "view.hpp"

#include <optional>
#include <vector>

namespace oracle {

/// Something was sent again of a flight of which nothing had been acknowledged.
struct Unanswered {
	Nanoseconds time{};
	Nanoseconds silence{}; ///< before the flight, in both directions
	Nanoseconds age{};     ///< of the flight
};

/// A keepalive probe (RFC 9293, 3.8.4): one number below the next.
struct Probe {
	Nanoseconds time{};
	bool answered = false; ///< by anything at all
};

struct Silence {
	std::vector<Unanswered> repeated;
	std::vector<Probe> probes;
	/// Of the flight that is out at the end, nothing of which was acknowledged: the silence before it, its beginning,
	/// when it was sent last, and the longest wait before something of it was sent again.
	struct Flight {
		Nanoseconds silence{};
		Nanoseconds begun{};
		Nanoseconds last_sent{};
		Nanoseconds longest_wait{};
	};
	std::optional<Flight> outstanding;
};

/// Until either side's FIN or RST, whose own acknowledgement does not count.
[[nodiscard]] Silence silence_of(const View& view);

} // namespace oracle
