// SPDX-License-Identifier: Apache-2.0
// A screen as values: lines of styled text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

enum class Style : std::uint8_t { plain, title, bar, selected, stale, alarm, dim };

/// Of one line. Valid UTF-8 without control characters.
struct Span {
	std::string text;
	Style style = Style::plain;
};

struct FrameLine {
	std::vector<Span> spans;
	Style fill = Style::plain; ///< of the rest of the line
};

struct FrameSize {
	std::size_t rows = 24;
	std::size_t columns = 80;
};

using Frame = std::vector<FrameLine>;

/// The text of each line, cut to the columns, without trailing spaces: for tests and pictures.
[[nodiscard]] std::vector<std::string> frame_text(const Frame& frame, std::size_t columns);

/// The part of a text between two columns of a terminal.
[[nodiscard]] std::string cut(std::string_view text, std::size_t from, std::size_t columns);
/// Cut or filled with spaces to exactly so many columns.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns, bool right = false);

} // namespace stalesock
