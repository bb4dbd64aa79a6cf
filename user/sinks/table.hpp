// SPDX-License-Identifier: Apache-2.0
// A snapshot as text or as JSON lines. The first line says what was seen, and what was not.
#pragma once

#include "model/columns.hpp"
#include "model/group.hpp"
#include "sinks/pieces.hpp"
#include "sinks/sink.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

using Columns = std::vector<const Column*>;

/// What the first line of a snapshot says.
struct SnapshotHead {
	WallTime time{};
	SnapshotSource source = SnapshotSource::iterators;
	std::uint64_t existing = 0; ///< sockets seen
	std::uint64_t shown = 0;    ///< sockets that were wanted
	std::uint64_t stale = 0;    ///< of those that were wanted
	std::uint32_t namespaces = 0;
	std::vector<std::string> gaps;
	std::string hook_class;   ///< of `top`, where hooks give verdicts; empty: none are in use
	std::optional<Lost> lost; ///< of those hooks
	std::vector<std::pair<std::string, std::uint64_t>> verdicts; ///< in the last minute, by name
};

/// JSON lines: the head, then one object for each socket. Columns in the order of their sections.
class JsonTable {
  public:
	explicit JsonTable(const Columns& columns);
	[[nodiscard]] bool write(const SnapshotHead& head, const RowReader& reader,
	                         std::span<const SocketEntry> sockets,
	                         std::span<const std::uint32_t> wanted, const Output& output,
	                         Helper& helper) const;

  private:
	struct Field {
		const Column* column;
		std::string quoted; ///< `"state":`
	};
	struct Part {
		std::string opening; ///< `"connection":{`; empty for fields of the line itself
		std::vector<Field> fields;
	};

	void append(std::string& out, const Row& row) const;
	void lines(std::string& out, const RowReader& reader, std::span<const SocketEntry> sockets,
	           std::span<const std::uint32_t> wanted) const;

	std::vector<Part> parts_; ///< in the order of Section
};

struct TextOptions {
	bool head = true;        ///< the first line and the titles
	std::size_t columns = 0; ///< characters on a line of the terminal; 0: no limit
	bool colour = false;
};

/// Aligned columns. The width of a column follows its content, except on a terminal that is narrower than that.
bool write_text_table(const Columns& columns, const TextOptions& options, const SnapshotHead& head,
                      const RowReader& reader, std::span<const SocketEntry> sockets,
                      std::span<const std::uint32_t> wanted, const Output& output);

[[nodiscard]] std::string head_text(const SnapshotHead& head);
[[nodiscard]] std::string head_json(const SnapshotHead& head);

bool write_text_groups(GroupBy by, const TextOptions& options, const SnapshotHead& head,
                       std::span<const Group> groups, const Output& output);
bool write_json_groups(GroupBy by, const SnapshotHead& head, std::span<const Group> groups,
                       const Output& output);

} // namespace stalesock
