// SPDX-License-Identifier: Apache-2.0
#include "story/diagram.hpp"

#include "model/utf8.hpp"
#include "story/layout.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>
#include <vector>

namespace stalesock {

namespace {

struct Glyphs {
	std::string_view life, quiet;                    ///< of a lifeline, of one in silence
	std::string_view dash, to_right, to_left;        ///< of an arrow
	std::string_view faint, faint_right, faint_left; ///< of an inferred one
	std::string_view heavy, heavy_right, heavy_left; ///< of the one that the verdict is about
	std::string_view act;                            ///< on a lifeline
	std::string_view fault, point;                   ///< in the margin
	std::string_view ellipsis;
};

constexpr Glyphs unicode{"│", "┊", "─", "►", "◄", "╌", "►", "◄", "━", "►", "◄", "◆", "✗", "•", "…"};
constexpr Glyphs ascii{"|", ":", "-", ">", "<", ".", ">", "<", "=", ">", "<", "*", "X", "*", "..."};

// Columns: time, margin, local lifeline, room between, remote lifeline.
constexpr std::size_t time_columns = 11;
constexpr std::size_t left_lifeline = time_columns + 3;
constexpr std::size_t title_columns = 9;

std::string spaces(std::size_t count) {
	return fmt::format("{:{}}", "", count);
}

std::string repeated(std::string_view glyph, std::size_t count) {
	std::string result;
	for (std::size_t i = 0; i < count; i++) {
		result += glyph;
	}
	return result;
}

std::string padded(std::string_view text, std::size_t columns) {
	return std::string{text} + spaces(columns - std::min(columns, columns_of(text)));
}

std::string time_of(const Step& step) {
	if (!step.at) {
		return "";
	}
	return (step.inferred ? "~" : "") + offset_text(*step.at);
}

class Diagram {
  public:
	Diagram(const Story& story, const DiagramStyle& style)
		: story_(story), style_(style), glyphs_(style.ascii ? ascii : unicode),
		  width_(std::clamp(style.width, narrowest_diagram, widest_diagram)),
		  room_(width_ - left_lifeline - 2) {}

	std::string draw();

  private:
	void draw_title(std::string_view title, std::string_view text);
	void draw_heads();
	void draw_step(const Step& step);
	void draw_arrow(const Step& step);
	void draw_act(const Step& step);
	void draw_silence(const Step& step);
	void draw_legend();
	void row(std::string_view time, std::string_view margin, std::string_view life,
	         std::string_view between, std::string_view remote_life);
	void row_of(const Step& step, bool last, std::string_view life, std::string_view between);

	[[nodiscard]] std::string safe(std::string_view text) const {
		return style_.ascii ? ascii_only(text) : std::string{text};
	}
	[[nodiscard]] std::string margin_of(const Step& step) const;
	[[nodiscard]] std::string shaft(const Step& step, std::string_view label) const;
	[[nodiscard]] std::string painted(std::string line) const;
	[[nodiscard]] std::string centred(std::string_view text) const;

	const Story& story_;
	const DiagramStyle& style_;
	const Glyphs& glyphs_;
	std::size_t width_;
	std::size_t room_; ///< columns between the lifelines
	std::vector<std::string> lines_;
};

std::string Diagram::draw() {
	draw_title("verdict", headline_of(story_));
	draw_title("local",
	           fmt::format("{}{}{}", story_.owner, story_.owner.empty() ? "" : ", ", story_.local));
	draw_title("remote", story_.remote);
	lines_.emplace_back();
	draw_heads();
	for (const Step& step : story_.steps) {
		draw_step(step);
	}
	row("", "", glyphs_.life, "", glyphs_.life);
	draw_legend();
	if (style_.texts) {
		lines_.emplace_back();
		draw_title("message", story_.message);
		draw_title("certainty", story_.confidence);
		draw_title("learned", story_.learned);
		draw_title("advice", story_.advice);
	}
	return fmt::format("{}", fmt::join(lines_, "\n"));
}

/// A title in a column of its own; where that is narrow, on a line of its own.
void Diagram::draw_title(std::string_view title, std::string_view text) {
	if (text.empty()) {
		return;
	}
	const std::size_t indent = std::max(title_columns, title.size()) + 2;
	const std::string shown = safe(text);
	const bool beside = width_ >= indent + shown.size() || width_ >= indent + 2 * title_columns;
	std::string begin = padded(title, indent);
	if (!beside) {
		lines_.emplace_back(title);
		begin = spaces(2);
	}
	for (const std::string& line : wrap(shown, width_ - begin.size())) {
		lines_.push_back(begin + line);
		begin = spaces(begin.size());
	}
}

/// Who stands at which lifeline; cut off where it is too long, as both are written out above.
void Diagram::draw_heads() {
	const std::size_t columns = (room_ + 2) / 2 - 1;
	const std::string local =
		cut(safe(story_.owner.empty() ? "local" : story_.owner), columns, glyphs_.ellipsis);
	const std::string remote = cut(safe(story_.remote), columns, glyphs_.ellipsis);
	const std::size_t between = room_ + 2 - columns_of(local) - columns_of(remote);
	lines_.push_back(spaces(left_lifeline) + local + spaces(between) + remote);
	row("", "", glyphs_.life, "", glyphs_.life);
}

void Diagram::row(std::string_view time, std::string_view margin, std::string_view life,
                  std::string_view between, std::string_view remote_life) {
	const std::size_t before = time_columns - std::min(time_columns, columns_of(time));
	lines_.push_back(fmt::format("{}{} {} {}{}{}", spaces(before), time, padded(margin, 1), life,
	                             padded(between, room_), remote_life));
}

std::string Diagram::margin_of(const Step& step) const {
	if (!step.subject) {
		return "";
	}
	return std::string{story_.severity >= Severity::warning ? glyphs_.fault : glyphs_.point};
}

std::string Diagram::painted(std::string line) const {
	const std::string_view code = story_.severity == Severity::error     ? "\x1b[1;31m"
	                              : story_.severity == Severity::warning ? "\x1b[33m"
	                                                                     : "\x1b[1m";
	return style_.colour ? fmt::format("{}{}\x1b[0m", code, std::move(line)) : line;
}

/// The last row of a step has its time and its mark.
void Diagram::row_of(const Step& step, bool last, std::string_view life, std::string_view between) {
	row(last ? time_of(step) : "", last ? margin_of(step) : "", life, between, glyphs_.life);
	if (step.subject) {
		lines_.back() = painted(std::move(lines_.back()));
	}
}

void Diagram::draw_step(const Step& step) {
	switch (step.kind) {
	case StepKind::outbound:
	case StepKind::inbound: draw_arrow(step); break;
	case StepKind::local: draw_act(step); break;
	case StepKind::idle:
	case StepKind::wait: draw_silence(step); break;
	}
}

/// An arrow from end to end, with a label in its middle where it fits.
std::string Diagram::shaft(const Step& step, std::string_view label) const {
	const bool right = step.kind == StepKind::outbound;
	std::string_view dash = glyphs_.dash;
	std::string_view head = right ? glyphs_.to_right : glyphs_.to_left;
	if (step.subject) {
		dash = glyphs_.heavy;
		head = right ? glyphs_.heavy_right : glyphs_.heavy_left;
	} else if (step.inferred) {
		dash = glyphs_.faint;
		head = right ? glyphs_.faint_right : glyphs_.faint_left;
	}
	const std::size_t dashes = room_ - 1 - columns_of(label);
	const std::string before = repeated(dash, dashes / 2);
	const std::string after = repeated(dash, dashes - dashes / 2);
	return right ? fmt::format("{}{}{}{}", before, label, after, head)
	             : fmt::format("{}{}{}{}", head, before, label, after);
}

void Diagram::draw_arrow(const Step& step) {
	constexpr std::size_t shortest_shaft = 7; // what remains of it beside its label
	const std::string label = fmt::format(" {} ", safe(step.text));
	if (columns_of(label) + shortest_shaft <= room_) {
		row_of(step, true, glyphs_.life, shaft(step, label));
		return;
	}
	for (const std::string& line : wrap(safe(step.text), room_ - 2)) {
		row_of(step, false, glyphs_.life, " " + line);
	}
	row_of(step, true, glyphs_.life, shaft(step, ""));
}

void Diagram::draw_act(const Step& step) {
	const std::vector<std::string> lines = wrap(safe(step.text), room_ - 2);
	for (std::size_t i = 0; i < lines.size(); i++) {
		const bool first = i == 0;
		row_of(step, first, first ? glyphs_.act : glyphs_.life, " " + lines[i]);
	}
}

std::string Diagram::centred(std::string_view text) const {
	return spaces((room_ - std::min(room_, columns_of(text))) / 2) + std::string{text};
}

/// An idle connection takes more room than a mere wait.
void Diagram::draw_silence(const Step& step) {
	const auto quiet_row = [this](std::string_view between) {
		row("", "", glyphs_.quiet, between, glyphs_.quiet);
	};
	const bool idle = step.kind == StepKind::idle;
	if (idle) {
		quiet_row("");
	}
	for (const std::string& line : wrap(safe(step.text), room_ - 2)) {
		quiet_row(centred(line));
	}
	if (idle) {
		quiet_row("");
	}
}

void Diagram::draw_legend() {
	for (const std::string& line : wrap(legend_of(story_), width_)) {
		lines_.push_back(line);
	}
}

} // namespace

std::string diagram_of(const Story& story, const DiagramStyle& style) {
	return Diagram{story, style}.draw();
}

} // namespace stalesock
