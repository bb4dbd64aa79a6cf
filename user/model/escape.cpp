// SPDX-License-Identifier: Apache-2.0
#include "model/escape.hpp"

#include <cstddef>
#include <cstdint>

namespace stalesock {

namespace {

struct Character {
	char32_t value = 0;
	std::size_t length = 0; ///< 0: not valid UTF-8
};

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

bool is_harmless(char32_t value) {
	const bool control = value < 0x20 || (value >= 0x7f && value < 0xa0);
	const bool separator = value == 0x2028 || value == 0x2029;
	const bool override =
		(value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
	return !control && !separator && !override;
}

void append_escaped(std::string& out, std::string_view bytes) {
	constexpr std::string_view digits = "0123456789abcdef";
	for (const char c : bytes) {
		const auto byte = static_cast<std::uint8_t>(c);
		out += "\\x";
		out += digits[byte >> 4U];
		out += digits[byte & 0xfU];
	}
}

} // namespace

std::string escape_untrusted(std::string_view text) {
	std::string out;
	out.reserve(text.size());
	while (!text.empty()) {
		const Character character = first_character(text);
		const std::size_t length = character.length == 0 ? 1 : character.length;
		if (character.length != 0 && is_harmless(character.value)) {
			out.append(text.substr(0, length));
		} else {
			append_escaped(out, text.substr(0, length));
		}
		text.remove_prefix(length);
	}
	return out;
}

} // namespace stalesock
