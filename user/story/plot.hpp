// SPDX-License-Identifier: Apache-2.0
// The steps of a story on the boot clock, before silences are put between them.
#pragma once

#include "story/story.hpp"

namespace stalesock {

struct PlotStep {
	Step step; ///< without `at`
	std::optional<Nanoseconds> time;
	bool open = false;
	bool exchange = false; ///< the last known send or receive
	bool closing = false;  ///< the FIN or RST up to which the ages of the evidence count
	bool fin = false;      ///< the peer's FIN
	bool eof = false;
	bool write = false; ///< the late write
	bool probe = false;
};

struct Plot {
	std::vector<PlotStep> steps; ///< in order; what has no time stands where it must have been
	Nanoseconds origin{};
	std::string origin_name;
	bool silence_before_last_send = false; ///< the evidence says so
	bool eof_unread = false;               ///< until the late write
};

[[nodiscard]] Plot plot_of(const Verdict& verdict, const ConnectionHistory* history);

} // namespace stalesock
