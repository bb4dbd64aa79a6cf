// SPDX-License-Identifier: Apache-2.0
// How diagrams look on this terminal.
#pragma once

#include "story/diagram.hpp"

namespace stalesock {

/// What was asked for; what was not is taken from the locale and the terminal.
struct DiagramChoice {
	bool ascii = false;
	bool colour = true;
	std::size_t width = 0; ///< columns; 0: as wide as the terminal, at most widest_diagram
};

/// For a diagram on standard output.
[[nodiscard]] DiagramStyle diagram_style(const DiagramChoice& choice);

} // namespace stalesock
