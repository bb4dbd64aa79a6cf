// SPDX-License-Identifier: Apache-2.0
#include "sinks/table.hpp"

#include "model/append.hpp"
#include "model/utf8.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stalesock {

namespace {

constexpr std::size_t piece = 64U << 10; ///< of output
constexpr std::string_view gap_between = "  ";
constexpr std::string_view unknown = "-";

/// The part of a text that fits into so many columns of a terminal.
std::string_view fitting(std::string_view text, std::size_t columns) {
	std::size_t bytes = 0;
	std::size_t used = 0;
	while (bytes < text.size()) {
		const std::size_t length =
			std::max<std::size_t>(first_character(text.substr(bytes)).length, 1);
		used += columns_of(text.substr(bytes, length));
		if (used > columns) {
			break;
		}
		bytes += length;
	}
	return text.substr(0, bytes);
}

struct Cell {
	std::string text;
	bool right = false;
};

/// Lines of equal columns, in pieces.
class Lines {
  public:
	Lines(const TextOptions& options, const Output& output, std::vector<std::size_t> widths)
		: options_(options), output_(output), widths_(std::move(widths)) {}

	bool add(std::span<const Cell> cells, std::string_view colour = {}) {
		std::string line;
		for (std::size_t i = 0; i < cells.size(); i++) {
			append(line, cells[i], widths_.at(i), i + 1 == cells.size());
		}
		line.resize(line.find_last_not_of(' ') + 1);
		return add_line(line, colour);
	}

	bool add_line(std::string_view line, std::string_view colour = {}) {
		const bool painted = options_.colour && !colour.empty();
		out_ += painted ? colour : "";
		out_ += options_.columns == 0 ? line : fitting(line, options_.columns);
		out_ += painted ? "\x1b[0m" : "";
		out_ += '\n';
		return out_.size() < piece || flush();
	}

	bool flush() {
		const bool taken = output_(out_);
		out_.clear();
		return taken;
	}

  private:
	static void append(std::string& line, const Cell& cell, std::size_t width, bool last) {
		const std::string_view text = cell.text.empty() ? unknown : std::string_view(cell.text);
		const std::size_t length = columns_of(text);
		const std::size_t padding = width > length ? width - length : 0;
		line.append(cell.right ? padding : 0, ' ');
		line += text;
		line.append(cell.right ? 0 : padding, ' ');
		if (!last) {
			line += gap_between;
		}
	}

	const TextOptions& options_;
	const Output& output_;
	std::vector<std::size_t> widths_;
	std::string out_;
};

std::vector<Cell> cells_of(const Columns& columns, const Row& row) {
	std::vector<Cell> cells;
	for (const Column* column : columns) {
		cells.push_back({{}, column->right});
		column->text(cells.back().text, row);
	}
	return cells;
}

std::vector<Cell> titles_of(const Columns& columns) {
	std::vector<Cell> cells;
	for (const Column* column : columns) {
		cells.push_back({std::string(column->title), column->right});
	}
	return cells;
}

void widen(std::vector<std::size_t>& widths, std::span<const Cell> cells) {
	for (std::size_t i = 0; i < cells.size(); i++) {
		widths[i] = std::max(widths[i], columns_of(cells[i].text));
	}
}

std::string_view colour_of(const SocketEntry& socket) {
	return is_stale(socket) ? "\x1b[33m" : std::string_view{};
}

constexpr std::array shown_states{TcpState::established,  TcpState::close_wait, TcpState::syn_sent,
                                  TcpState::fin_wait1,    TcpState::fin_wait2,  TcpState::last_ack,
                                  TcpState::closing,      TcpState::time_wait,  TcpState::syn_recv,
                                  TcpState::new_syn_recv, TcpState::listen};

std::string optional_text(const std::optional<Nanoseconds>& value) {
	std::string text;
	if (value) {
		append_duration(text, *value);
	}
	return text;
}

/// Only states that occur have a column.
std::vector<TcpState> states_of(std::span<const Group> groups) {
	std::vector<TcpState> states;
	std::copy_if(
		shown_states.begin(), shown_states.end(), std::back_inserter(states), [&](TcpState state) {
			return std::any_of(groups.begin(), groups.end(),
		                       [state](const Group& group) { return group.count(state) != 0; });
		});
	return states;
}

std::vector<Cell> group_titles(GroupBy by, std::span<const TcpState> states) {
	std::string title(to_string(by));
	std::transform(title.begin(), title.end(), title.begin(),
	               [](char c) { return static_cast<char>(c - ('a' - 'A')); });
	std::vector<Cell> cells{{title, false}, {"SOCKETS", true}};
	for (const TcpState state : states) {
		cells.push_back({std::string(to_string(state)), true});
	}
	cells.push_back({"UNREAD", true});
	cells.push_back({"OLDEST-FIN", true});
	if (by == GroupBy::listener) {
		cells.push_back({"QUEUE", true});
	}
	return cells;
}

std::vector<Cell> group_cells(GroupBy by, const Group& group, std::span<const TcpState> states) {
	std::vector<Cell> cells{{group.key, false}, {fmt::format("{}", group.sockets), true}};
	for (const TcpState state : states) {
		cells.push_back({fmt::format("{}", group.count(state)), true});
	}
	cells.push_back({fmt::format("{}", group.unread), true});
	cells.push_back({optional_text(group.oldest_fin), true});
	if (by == GroupBy::listener) {
		const bool known = group.accept_queue && group.accept_limit;
		cells.push_back(
			{known ? fmt::format("{}/{}", *group.accept_queue, *group.accept_limit) : "", true});
	}
	return cells;
}

} // namespace

std::string head_text(const SnapshotHead& head) {
	std::string text =
		fmt::format("{} of {} sockets, {} stale, {} network namespaces, by {}", head.shown,
	                head.existing, head.stale, head.namespaces, to_string(head.source));
	if (!head.hook_class.empty()) {
		text += fmt::format(", hooks: {}", head.hook_class);
	}
	if (head.lost) {
		text += fmt::format(", events lost: {}", head.lost->total());
	}
	if (!head.hook_class.empty()) {
		text += ", verdicts in the last minute:";
		for (const auto& [name, count] : head.verdicts) {
			text += fmt::format(" {} {}", count, name);
		}
		text += head.verdicts.empty() ? " none" : "";
	}
	text += head.gaps.empty() ? ", no gaps" : ", gaps: ";
	return text + fmt::format("{}", fmt::join(head.gaps, "; "));
}

bool write_text_table(const Columns& columns, const TextOptions& options, const SnapshotHead& head,
                      const RowReader& reader, std::span<const SocketEntry> sockets,
                      std::span<const std::uint32_t> wanted, const Output& output) {
	const std::vector<Cell> titles = titles_of(columns);
	std::vector<std::size_t> widths(columns.size(), unknown.size());
	if (options.head) {
		widen(widths, titles);
	}
	for (const std::uint32_t index : wanted) {
		widen(widths, cells_of(columns, reader.read(sockets[index])));
	}
	Lines lines(options, output, widths);
	if (options.head && !(lines.add_line("# " + head_text(head)) && lines.add(titles))) {
		return false;
	}
	for (const std::uint32_t index : wanted) {
		const SocketEntry& socket = sockets[index];
		if (!lines.add(cells_of(columns, reader.read(socket)), colour_of(socket))) {
			return false;
		}
	}
	return lines.flush();
}

bool write_text_groups(GroupBy by, const TextOptions& options, const SnapshotHead& head,
                       std::span<const Group> groups, const Output& output) {
	const std::vector<TcpState> states = states_of(groups);
	const std::vector<Cell> titles = group_titles(by, states);
	std::vector<std::size_t> widths(titles.size(), unknown.size());
	widen(widths, titles);
	for (const Group& group : groups) {
		widen(widths, group_cells(by, group, states));
	}
	Lines lines(options, output, widths);
	if (options.head && !(lines.add_line("# " + head_text(head)) && lines.add(titles))) {
		return false;
	}
	for (const Group& group : groups) {
		if (!lines.add(group_cells(by, group, states))) {
			return false;
		}
	}
	return lines.flush();
}

} // namespace stalesock
