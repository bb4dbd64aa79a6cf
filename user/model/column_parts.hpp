// SPDX-License-Identifier: Apache-2.0
// How a kind of value shows, says as JSON and sorts, for the table of columns.
#pragma once

#include "model/append.hpp"
#include "model/columns.hpp"

namespace stalesock {

/// A Get is a function from a row to an optional value, or to a text that is empty when unknown.
template <auto Get> void duration_text(std::string& out, const Row& row) {
	if (const auto value = Get(row)) {
		append_duration(out, *value);
	}
}

template <auto Get> void number_text(std::string& out, const Row& row) {
	if (const auto value = Get(row)) {
		append_number(out, *value);
	}
}

template <auto Get> void word_text(std::string& out, const Row& row) {
	out += Get(row);
}

/// A field comes with its quotes and its colon: `"state":`.
inline void append_field(std::string& out, std::string_view field) {
	out += field;
}

template <auto Get> void duration_json(std::string& out, std::string_view field, const Row& row) {
	if (const auto value = Get(row)) {
		append_field(out, field);
		append_milliseconds(out, *value);
		out += ',';
	}
}

template <auto Get> void number_json(std::string& out, std::string_view field, const Row& row) {
	if (const auto value = Get(row)) {
		append_field(out, field);
		append_number(out, *value);
		out += ',';
	}
}

/// For words of our own, which need no escaping.
template <auto Get> void word_json(std::string& out, std::string_view field, const Row& row) {
	const std::string_view word = Get(row);
	if (!word.empty()) {
		append_field(out, field);
		out += '"';
		out += word;
		out += "\",";
	}
}

template <auto Get> SortKey duration_key(const Row& row) {
	const auto value = Get(row);
	return value ? SortKey{true, static_cast<std::uint64_t>(value->count())} : SortKey{};
}

template <auto Get> SortKey number_key(const Row& row) {
	const auto value = Get(row);
	return value ? SortKey{true, static_cast<std::uint64_t>(*value)} : SortKey{};
}

template <auto Get> SortKey word_key(const Row& row) {
	const std::string_view word = Get(row);
	return word.empty() ? SortKey{} : SortKey{.known = true, .text = word};
}

/// Bytes of the address in order, then the port.
[[nodiscard]] SortKey endpoint_key(const Endpoint& endpoint);

[[nodiscard]] inline bool is_chosen(const Endpoint& endpoint) {
	return endpoint.port != 0 || !endpoint.address.is_unspecified();
}

} // namespace stalesock
