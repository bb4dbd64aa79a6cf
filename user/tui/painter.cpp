// SPDX-License-Identifier: Apache-2.0
#include "tui/painter.hpp"

#include "model/append.hpp"
#include "model/escape.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace stalesock {

namespace {

constexpr std::array shown_states{
	TcpState::close_wait,   TcpState::established, TcpState::syn_sent, TcpState::fin_wait1,
	TcpState::fin_wait2,    TcpState::last_ack,    TcpState::closing,  TcpState::time_wait,
	TcpState::new_syn_recv, TcpState::listen};

FrameLine plain(std::string text, Style style = Style::plain) {
	return {{{std::move(text), style}}, style};
}

std::string joined(const std::vector<std::pair<std::string, std::uint64_t>>& counts) {
	std::string text;
	for (const auto& [name, number] : counts) {
		text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, name);
	}
	return text.empty() ? "none" : text;
}

} // namespace

Layout layout_of(FrameSize size) {
	constexpr std::size_t fixed = 2; // titles and the last line
	Layout layout;
	layout.head = size.rows >= 12 ? 3 : 1;
	layout.verdicts = size.rows >= 20 ? std::min<std::size_t>(size.rows / 4, 10) : 0;
	const std::size_t used = layout.head + fixed + layout.verdicts;
	layout.rows = size.rows > used ? size.rows - used : 1;
	return layout;
}

std::size_t View::table_rows() const {
	return layout_of(size_).rows;
}

Frame View::draw() const {
	return Painter(*this).paint();
}

FrameLine Painter::summary() const {
	const ViewData& data = view_.data_;
	const auto stale = std::count_if(data.sockets.begin(), data.sockets.end(), is_stale);
	FrameLine line;
	line.spans.push_back({fmt::format("stalesock {} ", data.time), Style::title});
	line.spans.push_back({fmt::format("{}/{} sockets ", view_.order_.size(), data.sockets.size())});
	line.spans.push_back(
		{fmt::format("{} stale ", stale), stale > 0 ? Style::stale : Style::plain});
	line.spans.push_back(
		{fmt::format("hooks: {} ", data.hook_class.empty() ? "-" : data.hook_class)});
	line.spans.push_back(
		{fmt::format("lost: {} ", data.lost), data.lost > 0 ? Style::alarm : Style::plain});
	if (!data.gaps.empty()) {
		line.spans.push_back({fmt::format("gaps: {} ", data.gaps.size()), Style::alarm});
	}
	if (view_.frozen_) {
		line.spans.push_back({"FROZEN", Style::alarm});
	}
	return line;
}

FrameLine Painter::states() const {
	std::array<std::uint64_t, 13> counts{};
	for (const SocketEntry& socket : view_.data_.sockets) {
		counts.at(static_cast<std::size_t>(socket.state))++;
	}
	FrameLine line;
	for (const TcpState state : shown_states) {
		const std::uint64_t count = counts.at(static_cast<std::size_t>(state));
		if (count != 0) {
			const bool stale = state == TcpState::close_wait;
			line.spans.push_back({fmt::format("{} {}  ", to_string(state), count),
			                      stale ? Style::stale : Style::plain});
		}
	}
	return line;
}

FrameLine Painter::verdict_counts() const {
	if (view_.data_.hook_class.empty()) {
		return plain("verdicts: not watched", Style::dim);
	}
	return plain("verdicts in the last minute: " + joined(view_.data_.verdicts));
}

Frame Painter::head() const {
	if (layout_of(view_.size_).head == 1) {
		return {summary()};
	}
	return {summary(), states(), verdict_counts()};
}

FrameLine Painter::titles() const {
	std::string text;
	for (const Column* column : view_.options_.columns) {
		const bool sorted = column == view_.options_.sort;
		std::string title(column->title);
		if (sorted) {
			title += column->descending != view_.options_.reverse ? 'v' : '^';
		}
		text +=
			fitted(title, std::max<std::size_t>(column->width, title.size()), column->right) + ' ';
	}
	return plain(cut(text, view_.column_, view_.size_.columns), Style::bar);
}

FrameLine Painter::row(const SocketEntry& socket, bool selected) const {
	const Row row = view_.data_.reader->read(socket);
	std::string text;
	std::string cell;
	for (const Column* column : view_.options_.columns) {
		cell.clear();
		column->text(cell, row);
		const std::size_t title = column->title.size() + (column == view_.options_.sort ? 1 : 0);
		const std::size_t width = std::max<std::size_t>(column->width, title);
		text += fitted(cell.empty() ? "-" : cell, width, column->right) + ' ';
	}
	const Style style = selected ? Style::selected : is_stale(socket) ? Style::stale : Style::plain;
	return plain(cut(text, view_.column_, view_.size_.columns), style);
}

Frame Painter::table(std::size_t rows) const {
	Frame frame{titles()};
	for (std::size_t i = view_.top_; i < view_.order_.size() && frame.size() <= rows; i++) {
		frame.push_back(row(view_.data_.sockets[view_.order_[i]], i == view_.selected_));
	}
	return frame;
}

Frame Painter::groups(std::size_t rows) const {
	constexpr std::size_t key_width = 40;
	constexpr std::array counted{TcpState::close_wait, TcpState::established, TcpState::time_wait};
	std::string title =
		fitted(fmt::format("BY {}", to_string(*view_.options_.by)), key_width) +
		" SOCKETS CLOSE_WAIT ESTABLISHED TIME_WAIT   OTHER   UNREAD OLDEST-FIN QUEUE";
	Frame frame{plain(cut(title, view_.column_, view_.size_.columns), Style::bar)};
	for (std::size_t i = view_.top_; i < view_.groups_.size() && frame.size() <= rows; i++) {
		const Group& group = view_.groups_[i];
		std::uint64_t other = group.sockets;
		for (const TcpState state : counted) {
			other -= group.count(state);
		}
		std::string oldest = "-";
		if (group.oldest_fin) {
			oldest.clear();
			append_duration(oldest, *group.oldest_fin);
		}
		const std::string queue =
			group.accept_queue ? fmt::format("{}/{}", *group.accept_queue, *group.accept_limit)
							   : "-";
		const std::string text =
			fmt::format("{} {:>7} {:>10} {:>11} {:>9} {:>7} {:>8} {:>10} {}",
		                fitted(group.key.empty() ? "-" : group.key, key_width), group.sockets,
		                group.count(TcpState::close_wait), group.count(TcpState::established),
		                group.count(TcpState::time_wait), other, group.unread, oldest, queue);
		const bool stale = group.count(TcpState::close_wait) != 0;
		const Style style = i == view_.selected_ ? Style::selected
		                    : stale              ? Style::stale
		                                         : Style::plain;
		frame.push_back(plain(cut(text, view_.column_, view_.size_.columns), style));
	}
	return frame;
}

Frame Painter::pane(std::size_t lines) const {
	Frame frame;
	if (lines == 0) {
		return frame;
	}
	frame.push_back(plain("Recent verdicts", Style::bar));
	for (const std::string& text : view_.data_.recent) {
		if (frame.size() < lines) {
			frame.push_back(plain(text));
		}
	}
	frame.resize(lines);
	return frame;
}

Frame Painter::body(const Layout& layout) const {
	Frame frame = view_.options_.by ? groups(layout.rows) : table(layout.rows);
	frame.resize(layout.rows + 1);
	const Frame below = pane(layout.verdicts);
	frame.insert(frame.end(), below.begin(), below.end());
	return frame;
}

FrameLine Painter::foot() const {
	switch (view_.prompt_) {
	case View::Prompt::search: return plain("Search: " + escape_untrusted(view_.input_) + "_");
	case View::Prompt::filter: return plain("Filter: " + escape_untrusted(view_.input_) + "_");
	case View::Prompt::none: break;
	}
	if (!view_.remark_.empty()) {
		return plain(escape_untrusted(view_.remark_), Style::alarm);
	}
	if (view_.page_ != View::Page::table) {
		return plain(view_.page_ == View::Page::sort ? "Enter sort by it  Esc back"
		                                             : "Arrows scroll  any other key back",
		             Style::bar);
	}
	const std::string filter = view_.options_.filter.text.empty()
	                               ? ""
	                               : "[" + escape_untrusted(view_.options_.filter.text) + "]";
	return plain("?Help /Search \\Filter" + filter + " sSort gGroup SStale Space Enter qQuit",
	             Style::bar);
}

Frame Painter::paint() const {
	const std::size_t rows = view_.size_.rows;
	Frame frame = head();
	const std::size_t left = rows > frame.size() + 1 ? rows - frame.size() - 1 : 0;
	Frame middle;
	switch (view_.page_) {
	case View::Page::table: middle = body(layout_of(view_.size_)); break;
	case View::Page::help: middle = help(left); break;
	case View::Page::detail: middle = detail(left); break;
	case View::Page::sort: middle = sort_menu(left); break;
	}
	middle.resize(left);
	frame.insert(frame.end(), middle.begin(), middle.end());
	frame.push_back(foot());
	frame.resize(rows);
	return frame;
}

} // namespace stalesock
