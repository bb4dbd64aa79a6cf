// SPDX-License-Identifier: Apache-2.0
#include "model/append.hpp"

#include "model/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace stalesock {

namespace {

void append_two_digits(std::string& out, std::uint64_t value) {
	out += static_cast<char>('0' + value / 10);
	out += static_cast<char>('0' + value % 10);
}

/// "3m12s": the larger unit and two digits of the smaller one.
void append_pair(std::string& out, std::uint64_t value, std::uint64_t factor,
                 std::string_view units) {
	append_number(out, value / factor);
	out += units[0];
	append_two_digits(out, value % factor);
	out += units[1];
}

void append_seconds(std::string& out, std::uint64_t milliseconds) {
	append_number(out, milliseconds / 1000);
	out += '.';
	if (milliseconds < 10'000) {
		append_two_digits(out, milliseconds / 10 % 100);
	} else {
		append_number(out, milliseconds / 100 % 10);
	}
	out += 's';
}

/// Most lines have two of these, so each is made apart and appended at once.
void append_ipv4_endpoint(std::string& out, const Endpoint& endpoint) {
	constexpr std::size_t longest = 21;   // "255.255.255.255:65535"
	std::array<char, longest + 3> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled
	char* const end = buffer.data() + buffer.size();
	char* at = buffer.data();
	for (std::size_t i = 12; i < 16; i++) {
		at = std::to_chars(at, end, endpoint.address.bytes.at(i)).ptr;
		*at++ = i < 15 ? '.' : ':';
	}
	at = std::to_chars(at, end, endpoint.port).ptr;
	out.append(buffer.data(), at);
}

void append_code_unit(std::string& out, unsigned unit) {
	constexpr std::string_view digits = "0123456789abcdef";
	out += "\\u";
	for (int shift = 12; shift >= 0; shift -= 4) {
		out += digits[(unit >> static_cast<unsigned>(shift)) & 0xfU];
	}
}

bool stands_for_itself(char value) {
	return value >= 0x20 && value < 0x7f && value != '"' && value != '\\';
}

void append_character(std::string& out, char32_t value) {
	if (value == '"' || value == '\\') {
		out += '\\';
		out += static_cast<char>(value);
	} else if (value >= 0x20 && value < 0x7f) {
		out += static_cast<char>(value);
	} else if (value < 0x10000) {
		append_code_unit(out, value);
	} else {
		append_code_unit(out, 0xd800U + ((value - 0x10000U) >> 10U));
		append_code_unit(out, 0xdc00U + ((value - 0x10000U) & 0x3ffU));
	}
}

} // namespace

void append_number(std::string& out, std::uint64_t value) {
	std::array<char, 20> digits; // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
	const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
	out.append(digits.data(), static_cast<std::size_t>(result.ptr - digits.data()));
}

void append_duration(std::string& out, Nanoseconds value) {
	const auto milliseconds = static_cast<std::uint64_t>(value.count() / 1'000'000);
	const std::uint64_t seconds = milliseconds / 1000;
	if (milliseconds < 1000) {
		append_number(out, milliseconds);
		out += "ms";
	} else if (seconds < 60) {
		append_seconds(out, milliseconds);
	} else if (seconds < 3600) {
		append_pair(out, seconds, 60, "ms");
	} else if (seconds < 86'400) {
		append_pair(out, seconds / 60, 60, "hm");
	} else {
		append_pair(out, seconds / 3600, 24, "dh");
	}
}

void append_milliseconds(std::string& out, Nanoseconds value) {
	const auto tenths = static_cast<std::uint64_t>((value.count() + 50'000) / 100'000);
	append_number(out, tenths / 10);
	if (tenths % 10 != 0) {
		out += '.';
		out += static_cast<char>('0' + tenths % 10);
	}
}

void append_endpoint(std::string& out, const Endpoint& endpoint) {
	if (!endpoint.address.is_ipv4()) {
		out += to_string(endpoint);
		return;
	}
	append_ipv4_endpoint(out, endpoint);
}

void append_json_string(std::string& out, std::string_view text) {
	constexpr char32_t replacement = 0xfffd;
	out += '"';
	const auto special = std::find_if_not(text.begin(), text.end(), stands_for_itself);
	out.append(text.begin(), special);
	text.remove_prefix(static_cast<std::size_t>(special - text.begin()));
	while (!text.empty()) {
		const Character character = first_character(text);
		append_character(out, character.length == 0 ? replacement : character.value);
		text.remove_prefix(character.length == 0 ? 1 : character.length);
	}
	out += '"';
}

} // namespace stalesock
