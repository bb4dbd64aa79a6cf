// SPDX-License-Identifier: Apache-2.0
// What keys do to the view.
#include "tui/view.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace stalesock {

namespace {

void append_utf8(std::string& text, char32_t value) {
	const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
	if (value < 0x80) {
		add(value);
	} else if (value < 0x800) {
		add(0xc0U | value >> 6U);
		add(0x80U | (value & 0x3fU));
	} else if (value < 0x10000) {
		add(0xe0U | value >> 12U);
		add(0x80U | (value >> 6U & 0x3fU));
		add(0x80U | (value & 0x3fU));
	} else {
		add(0xf0U | value >> 18U);
		add(0x80U | (value >> 12U & 0x3fU));
		add(0x80U | (value >> 6U & 0x3fU));
		add(0x80U | (value & 0x3fU));
	}
}

void remove_last_character(std::string& text) {
	while (!text.empty()) {
		const auto byte = static_cast<unsigned char>(text.back());
		text.pop_back();
		if ((byte & 0xc0U) != 0x80U) {
			return;
		}
	}
}

} // namespace

void View::press(const KeyPress& press) {
	remark_.clear();
	if (press.key == Key::quit) {
		quit_ = true;
	} else if (prompt_ != Prompt::none) {
		press_in_prompt(press);
	} else if (page_ == Page::sort) {
		press_in_sort_menu(press);
	} else if (page_ != Page::table) {
		press_in_page(press);
	} else {
		press_in_table(press);
	}
}

void View::press_in_table(const KeyPress& press) {
	const auto page = static_cast<std::int64_t>(std::max<std::size_t>(table_rows(), 2) - 1);
	constexpr std::size_t step = 8;
	switch (press.key) {
	case Key::up: move(-1); break;
	case Key::down: move(1); break;
	case Key::page_up: move(-page); break;
	case Key::page_down: move(page); break;
	case Key::home: move(-static_cast<std::int64_t>(count())); break;
	case Key::end: move(static_cast<std::int64_t>(count())); break;
	case Key::left: column_ -= std::min(column_, step); break;
	case Key::right: column_ += step; break;
	case Key::help: page_ = Page::help; break;
	case Key::search: open_prompt(Prompt::search); break;
	case Key::filter: open_prompt(Prompt::filter); break;
	case Key::sort: press_letter('s'); break;
	case Key::enter:
		if (selected() != nullptr) {
			page_ = Page::detail;
			chosen_ = true;
			page_top_ = 0;
		}
		break;
	case Key::character: press_letter(press.character); break;
	default: break;
	}
}

void View::press_letter(char32_t letter) {
	switch (letter) {
	case 'q': quit_ = true; break;
	case '?':
	case 'h':
		page_ = Page::help;
		page_top_ = 0;
		break;
	case '/': open_prompt(Prompt::search); break;
	case 'n': find_next(); break;
	case '\\': open_prompt(Prompt::filter); break;
	case 's':
	case '>': {
		const Column* first = all_columns().data();
		page_ = Page::sort;
		choice_ = static_cast<std::size_t>(options_.sort - first);
		break;
	}
	case 'r':
	case 'I':
	case 'R':
		options_.reverse = !options_.reverse;
		arrange();
		break;
	case 'g': next_group(); break;
	case 'S':
		options_.filter.stale = !options_.filter.stale;
		arrange();
		break;
	case ' ': frozen_ = !frozen_; break;
	case 'j': move(1); break;
	case 'k': move(-1); break;
	default: break;
	}
}

void View::next_group() {
	constexpr std::array cycle{GroupBy::process, GroupBy::unit, GroupBy::remote, GroupBy::listener};
	if (!options_.by) {
		options_.by = cycle.front();
	} else {
		const auto* const now = std::find(cycle.begin(), cycle.end(), *options_.by);
		options_.by = now + 1 == cycle.end() ? std::nullopt : std::optional(*(now + 1));
	}
	selected_ = top_ = 0;
	arrange();
}

void View::open_prompt(Prompt prompt) {
	prompt_ = prompt;
	input_ = prompt == Prompt::filter ? options_.filter.text : std::string{};
}

void View::press_in_prompt(const KeyPress& press) {
	constexpr std::size_t longest = 200;
	if (press.key == Key::escape) {
		prompt_ = Prompt::none;
	} else if (press.key == Key::enter) {
		accept_prompt();
	} else if (press.key == Key::backspace) {
		remove_last_character(input_);
	} else if (press.key == Key::character && press.character >= 0x20 && input_.size() < longest) {
		append_utf8(input_, press.character);
	}
}

void View::accept_prompt() {
	if (std::exchange(prompt_, Prompt::none) == Prompt::filter) {
		options_.filter.text = input_;
		arrange();
		return;
	}
	searched_ = input_;
	find_next();
}

/// From the row after the selected one, round to it again.
void View::find_next() {
	if (searched_.empty() || order_.empty() || options_.by) {
		return;
	}
	for (std::size_t i = 1; i <= order_.size(); i++) {
		const std::size_t place = (selected_ + i) % order_.size();
		if (contains(data_.reader->read(data_.sockets[order_[place]]), searched_)) {
			move(static_cast<std::int64_t>(place) - static_cast<std::int64_t>(selected_));
			return;
		}
	}
	remark_ = "not found: " + searched_;
}

/// Help and detail: any other key leads back.
void View::press_in_page(const KeyPress& press) {
	const std::size_t page = size_.rows > 3 ? size_.rows - 3 : 1;
	switch (press.key) {
	case Key::up: page_top_ -= std::min<std::size_t>(page_top_, 1); break;
	case Key::down: page_top_++; break;
	case Key::page_up: page_top_ -= std::min(page_top_, page); break;
	case Key::page_down: page_top_ += page; break;
	case Key::home: page_top_ = 0; break;
	default:
		if (press.key == Key::character && press.character == ' ') {
			frozen_ = !frozen_;
			break;
		}
		page_ = Page::table;
		page_top_ = 0;
	}
}

void View::press_in_sort_menu(const KeyPress& press) {
	const std::size_t last = all_columns().size() - 1;
	switch (press.key) {
	case Key::up: choice_ -= std::min<std::size_t>(choice_, 1); break;
	case Key::down: choice_ = std::min(choice_ + 1, last); break;
	case Key::home: choice_ = 0; break;
	case Key::end: choice_ = last; break;
	case Key::enter:
		options_.sort = &all_columns()[choice_];
		options_.reverse = false;
		page_ = Page::table;
		arrange();
		break;
	case Key::character:
		if (press.character != 'q') {
			break;
		}
		[[fallthrough]];
	case Key::escape: page_ = Page::table; break;
	default: break;
	}
}

} // namespace stalesock
