// SPDX-License-Identifier: Apache-2.0
#include "tui/frame.hpp"

#include "model/utf8.hpp"

#include <algorithm>

namespace stalesock {

std::string cut(std::string_view text, std::size_t from, std::size_t columns) {
	std::string out;
	std::size_t column = 0;
	while (!text.empty() && column < from + columns) {
		const std::size_t length = std::max<std::size_t>(first_character(text).length, 1);
		const std::string_view character = text.substr(0, length);
		const std::size_t width = columns_of(character);
		if (column >= from && column + width <= from + columns) {
			out += character;
		}
		column += width;
		text.remove_prefix(length);
	}
	return out;
}

std::string fitted(std::string_view text, std::size_t columns, bool right) {
	std::string out = cut(text, 0, columns);
	const std::size_t used = columns_of(out);
	const std::size_t padding = columns > used ? columns - used : 0;
	out.insert(right ? 0 : out.size(), padding, ' ');
	return out;
}

std::vector<std::string> frame_text(const Frame& frame, std::size_t columns) {
	std::vector<std::string> lines;
	for (const FrameLine& line : frame) {
		std::string text;
		for (const Span& span : line.spans) {
			text += span.text;
		}
		text = cut(text, 0, columns);
		text.resize(text.find_last_not_of(' ') + 1);
		lines.push_back(std::move(text));
	}
	return lines;
}

} // namespace stalesock
