// SPDX-License-Identifier: Apache-2.0
#include "tui/screen.hpp"

#include "model/utf8.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <curses.h>
#include <langinfo.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace stalesock {

namespace {

enum Pair : short { pair_bar = 1, pair_selected, pair_stale, pair_alarm };

bool locale_is_utf8() {
	std::setlocale(LC_CTYPE, "");
	return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

/// What a terminal without UTF-8 shows instead.
std::string ascii_of(std::string_view text) {
	std::string out;
	while (!text.empty()) {
		const std::size_t length = std::max<std::size_t>(first_character(text).length, 1);
		out += length == 1 ? text.front() : '?';
		text.remove_prefix(length);
	}
	return out;
}

void open_terminal() {
	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1) {
		throw std::runtime_error("top needs a terminal; top -b prints lines");
	}
	if (newterm(nullptr, stdout, stdin) == nullptr) {
		const char* name = std::getenv("TERM");
		throw std::runtime_error(std::string("the terminal type ") +
		                         (name == nullptr ? "is not set" : "in TERM is not known") +
		                         "; top -b prints lines");
	}
}

bool start_colours() {
	if (!has_colors() || start_color() == ERR) {
		return false;
	}
	use_default_colors();
	init_pair(pair_bar, COLOR_BLACK, COLOR_GREEN);
	init_pair(pair_selected, COLOR_BLACK, COLOR_CYAN);
	init_pair(pair_stale, COLOR_YELLOW, -1);
	init_pair(pair_alarm, COLOR_RED, -1);
	return true;
}

struct KeyName {
	int code;
	Key key;
};

constexpr std::array key_names{
	KeyName{KEY_UP, Key::up},         KeyName{KEY_DOWN, Key::down},
	KeyName{KEY_LEFT, Key::left},     KeyName{KEY_RIGHT, Key::right},
	KeyName{KEY_PPAGE, Key::page_up}, KeyName{KEY_NPAGE, Key::page_down},
	KeyName{KEY_HOME, Key::home},     KeyName{KEY_END, Key::end},
	KeyName{KEY_ENTER, Key::enter},   KeyName{KEY_BACKSPACE, Key::backspace},
	KeyName{KEY_F(1), Key::help},     KeyName{KEY_F(3), Key::search},
	KeyName{KEY_F(4), Key::filter},   KeyName{KEY_F(6), Key::sort},
	KeyName{KEY_F(10), Key::quit},
};

KeyPress press_of_code(wint_t code) {
	for (const KeyName& name : key_names) {
		if (static_cast<wint_t>(name.code) == code) {
			return {name.key, 0};
		}
	}
	return {Key::character, 0}; // a key that means nothing, or a new size: drawn anew
}

KeyPress press_of_character(wint_t character) {
	constexpr wint_t escape = 27;
	constexpr wint_t delete_key = 127;
	switch (character) {
	case '\r':
	case '\n': return {Key::enter, 0};
	case escape: return {Key::escape, 0};
	case '\b':
	case delete_key: return {Key::backspace, 0};
	default: return {Key::character, static_cast<char32_t>(character)};
	}
}

} // namespace

Screen::Screen(bool colour) : utf8_(locale_is_utf8()) {
	open_terminal();
	// NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer): the terminal must be open
	colour_ = colour && start_colours();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	constexpr int escape_delay_ms = 25;
	set_escdelay(escape_delay_ms);
}

Screen::~Screen() {
	endwin();
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): of the terminal that this opened
FrameSize Screen::size() const {
	return {static_cast<std::size_t>(std::max(LINES, 1)),
	        static_cast<std::size_t>(std::max(COLS, 1))};
}

unsigned Screen::attributes_of(Style style) const {
	const auto either = [this](Pair pair, unsigned otherwise) -> unsigned {
		return colour_ ? static_cast<unsigned>(COLOR_PAIR(pair)) : otherwise;
	};
	switch (style) {
	case Style::plain: return A_NORMAL;
	case Style::title: return A_BOLD;
	case Style::bar: return either(pair_bar, A_REVERSE);
	case Style::selected: return either(pair_selected, A_REVERSE | A_BOLD);
	case Style::stale: return either(pair_stale, A_BOLD);
	case Style::alarm: return either(pair_alarm, A_BOLD) | A_BOLD;
	case Style::dim: return A_DIM;
	}
	return A_NORMAL;
}

void Screen::draw_line(int row, const FrameLine& line) {
	std::size_t left = size().columns;
	::move(row, 0);
	for (const Span& span : line.spans) {
		const std::string text = cut(utf8_ ? span.text : ascii_of(span.text), 0, left);
		attrset(static_cast<int>(attributes_of(span.style)));
		addstr(text.c_str());
		left -= std::min(left, columns_of(text));
	}
	if (line.fill != Style::plain) {
		attrset(static_cast<int>(attributes_of(line.fill)));
		addstr(std::string(left, ' ').c_str());
	}
}

void Screen::draw(const Frame& frame) {
	erase();
	int row = 0;
	for (const FrameLine& line : frame) {
		draw_line(row++, line);
	}
	attrset(A_NORMAL);
	refresh();
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static)
KeyPress Screen::read() {
	wint_t code = 0;
	switch (get_wch(&code)) {
	case OK: return press_of_character(code);
	case KEY_CODE_YES: return press_of_code(code);
	default: return {};
	}
}

} // namespace stalesock
