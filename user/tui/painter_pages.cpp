// SPDX-License-Identifier: Apache-2.0
// The pages beside the table: help, one connection, the choice of a column.
#include "tui/painter.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace stalesock {

namespace {

constexpr std::array help_lines{
	"Arrows, PgUp, PgDn, Home, End   move; left and right scroll the columns",
	"Enter        the connection: every value, live, and its sequence diagram",
	"/  F3        search in endpoints, commands, units and states;  n  the next one",
	"\\  F4        show only what contains a text; an empty one shows all",
	"s  F6  >     sort by a column;  r  the other way round",
	"g            count by process, unit, remote, listener; then sockets again",
	"S            only stale sockets: the peer has closed, the application has not",
	"Space        freeze the screen",
	"q  F10       quit",
	"",
	"stale is CLOSE_WAIT. FIRST: whose FIN came first. FIN: since the peer's FIN.",
	"SENT, RECVD: since the last payload. NEXT: until the next keepalive probe.",
	"TIMEOUT, LEFT: learned: when the peer closes an idle connection, and until then.",
	"- is unknown: the kernel does not keep it, and stalesock was not there.",
};

} // namespace

/// The part of a long page that fits; scrolling ends with its last line.
Frame Painter::scrolled(Frame lines, std::size_t shown) const {
	const std::size_t most = lines.size() > shown ? lines.size() - shown : 0;
	lines.erase(lines.begin(),
	            lines.begin() + static_cast<std::ptrdiff_t>(std::min(view_.page_top_, most)));
	lines.resize(shown);
	return lines;
}

Frame Painter::help(std::size_t lines) const {
	Frame frame;
	for (const char* text : help_lines) {
		frame.push_back({{{text}}});
	}
	for (const std::string& gap : view_.data_.gaps) {
		frame.push_back({{{"gap: " + gap, Style::alarm}}});
	}
	return scrolled(std::move(frame), lines);
}

Frame Painter::detail(std::size_t lines) const {
	Frame frame;
	const SocketEntry* socket = view_.selected();
	if (socket == nullptr || !(identity_of(*socket) == view_.identity_)) {
		frame.push_back({{{"This connection is gone.", Style::alarm}}});
		return scrolled(std::move(frame), lines);
	}
	const Row row = view_.data_.reader->read(*socket);
	for (const Column& column : all_columns()) {
		std::string text;
		column.text(text, row);
		if (!text.empty()) {
			frame.push_back({{{fmt::format("{:<12}", column.name), Style::dim},
			                  {fmt::format("{:<22}", text), Style::title},
			                  {fmt::format("  {}", column.help), Style::dim}}});
		}
	}
	frame.emplace_back();
	for (const std::string& text : view_.story_) {
		frame.push_back({{{text}}});
	}
	return scrolled(std::move(frame), lines);
}

Frame Painter::sort_menu(std::size_t lines) const {
	Frame frame;
	const std::size_t first = view_.choice_ >= lines ? view_.choice_ + 1 - lines : 0;
	for (std::size_t i = first; i < all_columns().size() && frame.size() < lines; i++) {
		const Column& column = all_columns()[i];
		const Style style = i == view_.choice_ ? Style::selected : Style::plain;
		frame.push_back({{{fmt::format("{:<12}{}", column.name, column.help), style}}, style});
	}
	return frame;
}

} // namespace stalesock
