// SPDX-License-Identifier: Apache-2.0
#include "model/escape.hpp"

#include "model/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace stalesock {

namespace {

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
