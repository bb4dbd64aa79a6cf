// SPDX-License-Identifier: Apache-2.0
#include "story/layout.hpp"

#include "model/utf8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>

namespace stalesock {

namespace {

/// Bytes at the front that take at most so many columns.
std::size_t bytes_within(std::string_view text, std::size_t columns) {
	std::size_t taken = 0;
	std::size_t used = 0;
	while (taken < text.size()) {
		const std::size_t length =
			std::max<std::size_t>(first_character(text.substr(taken)).length, 1);
		used += columns_of(text.substr(taken, length));
		if (used > columns) {
			break;
		}
		taken += length;
	}
	return taken;
}

/// Where to break a line that is too long: after the last space that fits, else anywhere. At least one
/// character, so that there is an end.
std::size_t break_at(std::string_view text, std::size_t columns) {
	const std::size_t fitting = bytes_within(text, columns);
	if (fitting == text.size()) {
		return fitting;
	}
	const std::size_t space = text.substr(0, fitting + 1).rfind(' ');
	if (space != std::string_view::npos && space > 0) {
		return space;
	}
	return std::max(fitting, std::max<std::size_t>(first_character(text).length, 1));
}

} // namespace

std::string cut(std::string_view text, std::size_t columns, std::string_view ellipsis) {
	if (columns_of(text) <= columns) {
		return std::string{text};
	}
	const std::size_t left = columns - std::min(columns, columns_of(ellipsis));
	return std::string{text.substr(0, bytes_within(text, left))} +
	       std::string{ellipsis.substr(0, bytes_within(ellipsis, columns))};
}

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
	std::vector<std::string> lines;
	while (!text.empty()) {
		const std::size_t end = break_at(text, columns);
		lines.emplace_back(text.substr(0, end));
		text.remove_prefix(end);
		text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
	}
	if (lines.empty()) {
		lines.emplace_back();
	}
	return lines;
}

std::string ascii_only(std::string_view text) {
	std::string result;
	for (const char c : text) {
		const auto byte = static_cast<std::uint8_t>(c);
		result += byte < 0x80 ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
	}
	return result;
}

std::string offset_text(Nanoseconds offset) {
	if (offset == Nanoseconds::zero()) {
		return "0";
	}
	const double ms = std::chrono::duration<double, std::milli>(offset).count();
	const double size = std::abs(ms);
	constexpr double second = 1000;
	if (size >= 10 * 3600 * second) {
		return fmt::format("{:+.1f} h", ms / second / 3600);
	}
	if (size >= 1000 * second) {
		return fmt::format("{:+.0f} s", ms / second);
	}
	return size >= second ? fmt::format("{:+.3f} s", ms / second) : fmt::format("{:+.2f} ms", ms);
}

} // namespace stalesock
