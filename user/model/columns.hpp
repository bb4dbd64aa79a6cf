// SPDX-License-Identifier: Apache-2.0
// The one table of columns: what each is called, and how a row shows, says as JSON and sorts by it.
#pragma once

#include "model/row.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// The object of a JSON line that a column's fields belong to, in the order of the line.
enum class Section : std::uint8_t { connection, owner, socket, keepalive, peer, line };
/// "connection", ...; empty for `line`: a field of the line itself.
[[nodiscard]] std::string_view to_string(Section section);

/// What a row sorts by. Unknown comes last in either direction.
struct SortKey {
	bool known = false;
	std::uint64_t high = 0;
	std::uint64_t low = 0;
	std::uint32_t last = 0;
	std::string_view text{}; ///< of the row's own data: good as long as the table

	auto operator<=>(const SortKey&) const = default;
};

struct Column {
	std::string_view name;  ///< for --columns and --sort
	std::string_view title; ///< the head of the column
	std::string_view unit;  ///< of what `json` says; empty: none
	std::string_view help;
	Section section;
	std::string_view field; ///< of the JSON object; custom columns have several and name the first
	std::uint8_t width;     ///< on a screen; text that is longer is cut there, never in a pipe
	bool right;             ///< aligned
	bool descending;        ///< sorts the largest first
	/// Appends what is known; nothing otherwise. Safe to print.
	void (*text)(std::string& out, const Row& row);
	/// Appends `"field":value,` for each field that is known. Its first field is passed as `"field":`, which
	/// is made once and not for each row.
	void (*json)(std::string& out, std::string_view quoted_field, const Row& row);
	SortKey (*key)(const Row& row);
};

[[nodiscard]] std::span<const Column> all_columns();
/// Null: there is none of this name.
[[nodiscard]] const Column* find_column(std::string_view name);
/// What `list` and `top` show unless told otherwise.
[[nodiscard]] const std::vector<const Column*>& default_columns();
/// "state, role, ...".
[[nodiscard]] std::string column_names();

/// The rows' order by a column: indexes of `sockets` that `rows` reads. Equal rows keep their order.
void sort_by(const Column& column, bool reversed, const RowReader& reader,
             std::span<const SocketEntry> sockets, std::vector<std::uint32_t>& order);

} // namespace stalesock
