// SPDX-License-Identifier: Apache-2.0
// What `top` shows and how keys change it. Knows no terminal, no clock and no kernel.
#pragma once

#include "model/columns.hpp"
#include "model/group.hpp"
#include "model/row_filter.hpp"
#include "tui/frame.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stalesock {

/// Keys that are no characters.
enum class Key : std::uint8_t {
	none,
	character,
	up,
	down,
	left,
	right,
	page_up,
	page_down,
	home,
	end,
	enter,
	escape,
	backspace,
	help,   ///< F1
	search, ///< F3
	filter, ///< F4
	sort,   ///< F6
	quit,   ///< F10
};

struct KeyPress {
	Key key = Key::none;
	char32_t character = 0;
};

/// What there is to show: a snapshot and what was told beside it. Good until the next one.
struct ViewData {
	std::string time;       ///< of the snapshot
	std::string hook_class; ///< empty: no hooks, no verdicts
	std::uint64_t lost = 0; ///< events
	std::vector<std::string> gaps;
	std::vector<std::pair<std::string, std::uint64_t>> verdicts; ///< in the last minute, by name
	std::vector<std::string> recent;                             ///< verdicts, the newest first
	std::span<const SocketEntry> sockets;
	const RowReader* reader = nullptr; ///< null: there is no snapshot yet
};

/// A connection that stays the same from one snapshot to the next.
struct RowIdentity {
	std::uint64_t cookie = 0;
	Endpoint local;
	Endpoint remote;

	friend bool operator==(const RowIdentity&, const RowIdentity&) = default;
};
[[nodiscard]] RowIdentity identity_of(const SocketEntry& socket);

class View {
  public:
	enum class Page : std::uint8_t { table, detail, help, sort };
	enum class Prompt : std::uint8_t { none, search, filter };

	struct Options {
		RowFilter filter;
		std::vector<const Column*> columns; ///< empty: the default
		const Column* sort = nullptr;       ///< null: state
		bool reverse = false;
		std::optional<GroupBy> by;
	};

	explicit View(Options options);

	/// A new snapshot: the selection follows its connection. While frozen it is not taken.
	void update(const ViewData& data);
	/// The detail page of the selected connection: its diagram, line by line.
	void tell(std::vector<std::string> story) { story_ = std::move(story); }
	void resize(FrameSize size);
	void press(const KeyPress& press);

	[[nodiscard]] Frame draw() const;

	[[nodiscard]] bool wants_to_quit() const { return quit_; }
	/// Whether snapshots are refused: the caller keeps the one it gave last.
	[[nodiscard]] bool is_frozen() const { return frozen_; }
	/// The selected socket; nothing in an empty table and among groups.
	[[nodiscard]] const SocketEntry* selected() const;
	[[nodiscard]] Page page() const { return page_; }
	[[nodiscard]] const RowFilter& filter() const { return options_.filter; }

  private:
	friend class Painter;

	void arrange();
	void follow();
	void move(std::int64_t distance);
	void scroll_to_selection();
	void press_in_table(const KeyPress& press);
	void press_letter(char32_t letter);
	void press_in_prompt(const KeyPress& press);
	void press_in_page(const KeyPress& press);
	void clamp_selection();
	void press_in_sort_menu(const KeyPress& press);
	void open_prompt(Prompt prompt);
	void accept_prompt();
	void find_next();
	void next_group();
	[[nodiscard]] std::size_t count() const;
	[[nodiscard]] std::size_t table_rows() const;

	Options options_;
	ViewData data_;
	FrameSize size_;
	std::vector<std::uint32_t> order_; ///< wanted sockets, sorted
	std::vector<Group> groups_;
	std::vector<std::string> story_;
	std::string input_;
	std::string searched_;
	std::string remark_; ///< said once, on the last line
	RowIdentity identity_;
	std::size_t selected_ = 0;
	std::size_t top_ = 0;      ///< first row that is shown
	std::size_t column_ = 0;   ///< characters scrolled to the right
	std::size_t page_top_ = 0; ///< of help and detail
	std::size_t choice_ = 0;   ///< in the sort menu
	Page page_ = Page::table;
	Prompt prompt_ = Prompt::none;
	bool chosen_ = false; ///< somebody moved the selection, or looked at a connection
	bool frozen_ = false;
	bool quit_ = false;
};

} // namespace stalesock
