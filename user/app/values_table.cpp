// SPDX-License-Identifier: Apache-2.0
// Option values of `list` and `top`.
#include "app/values.hpp"

#include "model/escape.hpp"

#include <fmt/format.h>
#include <stdexcept>

namespace stalesock {

namespace {

[[noreturn]] void reject(std::string_view text, std::string_view expected) {
	throw std::invalid_argument(fmt::format("\"{}\" is not {}", escape_untrusted(text), expected));
}

/// The parts between commas; an empty one is a part too.
std::vector<std::string_view> parts_of(std::string_view text) {
	std::vector<std::string_view> parts;
	for (;;) {
		const std::size_t comma = text.find(',');
		parts.push_back(text.substr(0, comma));
		if (comma == std::string_view::npos) {
			return parts;
		}
		text.remove_prefix(comma + 1);
	}
}

} // namespace

std::uint32_t read_states(std::string_view text) {
	std::uint32_t states = 0;
	for (const std::string_view name : parts_of(text)) {
		const auto state = parse_tcp_state(name);
		if (!state) {
			reject(name, "a TCP state, for example ESTABLISHED or CLOSE_WAIT");
		}
		states |= state_bit(*state);
	}
	return states;
}

EndpointPattern read_endpoint_pattern(std::string_view text) {
	const auto pattern = parse_endpoint_pattern(text);
	if (!pattern) {
		reject(text, "an endpoint, for example 10.0.0.7:8080, 10.0.0.7, :8080 or [::1]:80");
	}
	return *pattern;
}

Role read_role(std::string_view text) {
	const auto role = parse_role(text);
	if (!role) {
		reject(text, "a role; there are active and passive");
	}
	return *role;
}

GroupBy read_group_by(std::string_view text) {
	const auto by = parse_group_by(text);
	if (!by) {
		reject(text, "something to count by; there are process, unit, remote, listener");
	}
	return *by;
}

const Column* read_column(std::string_view text) {
	const Column* column = find_column(text);
	if (column == nullptr) {
		reject(text, "a column; there are " + column_names());
	}
	return column;
}

std::vector<const Column*> read_columns(std::string_view text) {
	std::vector<const Column*> columns;
	if (text == "all") {
		for (const Column& column : all_columns()) {
			columns.push_back(&column);
		}
		return columns;
	}
	for (const std::string_view name : parts_of(text)) {
		columns.push_back(read_column(name));
	}
	return columns;
}

} // namespace stalesock
