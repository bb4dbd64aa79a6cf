// SPDX-License-Identifier: Apache-2.0
// The terminal: the only code that knows ncurses. Restored when this object ends, by whatever way.
#pragma once

#include "tui/frame.hpp"
#include "tui/view.hpp"

namespace stalesock {

class Screen {
  public:
	/// Takes the terminal of standard input and output. Throws std::runtime_error when there is none, or its
	/// type is not known.
	explicit Screen(bool colour);
	~Screen();
	Screen(const Screen&) = delete;
	Screen& operator=(const Screen&) = delete;

	[[nodiscard]] FrameSize size() const;
	void draw(const Frame& frame);
	/// What was typed, without waiting; Key::none: nothing. A resized terminal is noticed here.
	[[nodiscard]] KeyPress read();

  private:
	[[nodiscard]] unsigned attributes_of(Style style) const;
	void draw_line(int row, const FrameLine& line);

	bool colour_ = false;
	bool utf8_;
};

} // namespace stalesock
