// SPDX-License-Identifier: Apache-2.0
// Draws a view as lines.
#pragma once

#include "tui/view.hpp"

namespace stalesock {

/// How the lines of the screen are shared out.
struct Layout {
	std::size_t head = 1;     ///< lines above the titles
	std::size_t rows = 1;     ///< of the table
	std::size_t verdicts = 0; ///< lines of the pane, its title included
};
[[nodiscard]] Layout layout_of(FrameSize size);

class Painter {
  public:
	explicit Painter(const View& view) : view_(view) {}

	[[nodiscard]] Frame paint() const;

  private:
	[[nodiscard]] Frame head() const;
	[[nodiscard]] FrameLine summary() const;
	[[nodiscard]] FrameLine states() const;
	[[nodiscard]] FrameLine verdict_counts() const;
	[[nodiscard]] Frame table(std::size_t rows) const;
	[[nodiscard]] FrameLine titles() const;
	[[nodiscard]] FrameLine row(const SocketEntry& socket, bool selected) const;
	[[nodiscard]] Frame groups(std::size_t rows) const;
	[[nodiscard]] Frame pane(std::size_t lines) const;
	[[nodiscard]] Frame help(std::size_t lines) const;
	[[nodiscard]] Frame detail(std::size_t lines) const;
	[[nodiscard]] Frame sort_menu(std::size_t lines) const;
	[[nodiscard]] Frame body(const Layout& layout) const;
	[[nodiscard]] FrameLine foot() const;
	[[nodiscard]] Frame scrolled(Frame lines, std::size_t shown) const;

	const View& view_;
};

} // namespace stalesock
