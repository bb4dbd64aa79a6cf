// SPDX-License-Identifier: Apache-2.0
// A story as a sequence diagram for a terminal or a mail.
#pragma once

#include "story/story.hpp"

#include <cstddef>
#include <string>

namespace stalesock {

inline constexpr std::size_t narrowest_diagram = 40; ///< columns
inline constexpr std::size_t widest_diagram = 80;

struct DiagramStyle {
	/// Columns; outside of narrowest to widest the nearer of them is taken.
	std::size_t width = widest_diagram;
	bool ascii = false; ///< not one byte beyond ASCII
	bool texts = true;  ///< message, advice and so on below the diagram
	/// The offending line, by ANSI sequences, which are not counted as columns.
	bool colour = false;
};

/// Lines, each no wider than the style says, without a newline at the end.
[[nodiscard]] std::string diagram_of(const Story& story, const DiagramStyle& style);

} // namespace stalesock
