// SPDX-License-Identifier: Apache-2.0
#include "model/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace stalesock {

namespace {

std::size_t sequence_length(std::uint8_t lead) {
	if (lead < 0x80) {
		return 1;
	}
	if (lead >= 0xc2 && lead <= 0xdf) {
		return 2;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		return 3;
	}
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

// Overlong forms, surrogates and values past U+10FFFF (RFC 3629).
bool is_scalar(const Character& character) {
	constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	return character.value >= smallest[character.length] && character.value <= 0x10ffff &&
	       (character.value < 0xd800 || character.value > 0xdfff);
}

struct Range {
	char32_t first;
	char32_t last;
};

// EastAsianWidth.txt of Unicode 15, W and F, in blocks.
constexpr Range wide[] = {
	{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
	{0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},
	{0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18aff},
	{0x1b000, 0x1b2ff}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff},
	{0x20000, 0x3fffd},
};

// Combining marks, joiners and variation selectors.
constexpr Range without_width[] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},   {0x0610, 0x061a}, {0x064b, 0x065f},
	{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},   {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
	{0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0000, 0xe01ef},
};

template <std::size_t size> bool is_in(const Range (&ranges)[size], char32_t value) {
	return std::any_of(std::begin(ranges), std::end(ranges), [value](const Range& range) {
		return value >= range.first && value <= range.last;
	});
}

} // namespace

Character first_character(std::string_view text) {
	const auto lead = static_cast<std::uint8_t>(text.front());
	const std::size_t length = sequence_length(lead);
	if (length == 0 || length > text.size()) {
		return {};
	}
	if (length == 1) {
		return {lead, 1};
	}
	Character character{lead & (0xffU >> (length + 1)), length};
	for (std::size_t i = 1; i < length; ++i) {
		const auto byte = static_cast<std::uint8_t>(text[i]);
		if ((byte & 0xc0U) != 0x80U) {
			return {};
		}
		character.value = (character.value << 6U) | (byte & 0x3fU);
	}
	return is_scalar(character) ? character : Character{};
}

std::size_t columns_of(std::string_view text) {
	std::size_t columns = 0;
	while (!text.empty()) {
		const Character character = first_character(text);
		if (is_in(wide, character.value)) {
			columns += 2;
		} else if (!is_in(without_width, character.value)) {
			columns += 1;
		}
		text.remove_prefix(std::max<std::size_t>(character.length, 1));
	}
	return columns;
}

} // namespace stalesock
