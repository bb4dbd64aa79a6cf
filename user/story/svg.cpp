// SPDX-License-Identifier: Apache-2.0
#include "story/svg.hpp"

#include "model/utf8.hpp"
#include "story/layout.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <vector>

namespace stalesock {

namespace {

// Pixels. A character of a 13 px monospace font is at most 8 wide.
constexpr std::size_t width = 800;
constexpr std::size_t margin = 20;
constexpr std::size_t character = 8;
constexpr std::size_t line_height = 18;
constexpr std::size_t left = 150;
constexpr std::size_t right = 770;
constexpr std::size_t titles = 110; ///< where texts beside titles begin
constexpr std::size_t text_columns = (width - margin - titles) / character;
constexpr std::size_t step_columns = (right - left) / character - 4;
constexpr std::size_t head_columns = (right - left) / character / 2 - 1;
constexpr std::size_t arrow_head = 8;

// Viewers without media queries show the light colours.
constexpr std::string_view style = R"(
text{font:13px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#1f2328}
.back{fill:#ffffff}
.title,.time{fill:#59636e}
.head{font-weight:bold}
line,path{stroke:#1f2328;stroke-width:1.5;fill:none}
.life{stroke:#818b98}
.quiet{stroke-dasharray:2 5}
.inferred{stroke:#818b98;stroke-dasharray:6 4}
.tip{fill:#1f2328;stroke:none}
.inferredtip{fill:#818b98;stroke:none}
text.subject{font-weight:bold}
line.subject{stroke-width:3}
.error{fill:#d1242f}
.warning{fill:#9a6700}
.info{fill:#0969da}
line.error{stroke:#d1242f}
line.warning{stroke:#9a6700}
line.info{stroke:#0969da}
@media (prefers-color-scheme: dark){
text{fill:#f0f6fc}
.back{fill:#0d1117}
.title,.time{fill:#9198a1}
line,path{stroke:#f0f6fc}
.life,.inferred{stroke:#767f8a}
.tip{fill:#f0f6fc;stroke:none}
.inferredtip{fill:#767f8a;stroke:none}
.error{fill:#ff7b72}
.warning{fill:#d29922}
.info{fill:#58a6ff}
line.error{stroke:#ff7b72}
line.warning{stroke:#d29922}
line.info{stroke:#58a6ff}
}
)";

/// XML 1.0, 2.2: of what escape_untrusted lets pass only U+FFFE and U+FFFF are no characters.
bool is_xml(char32_t value) {
	return value != 0xfffe && value != 0xffff;
}

std::string escaped(std::string_view text) {
	std::string result;
	while (!text.empty()) {
		const Character next = first_character(text);
		const std::size_t length = std::max<std::size_t>(next.length, 1);
		switch (text.front()) {
		case '&': result += "&amp;"; break;
		case '<': result += "&lt;"; break;
		case '>': result += "&gt;"; break;
		case '"': result += "&quot;"; break;
		default:
			result +=
				next.length != 0 && is_xml(next.value) ? text.substr(0, length) : "\xef\xbf\xbd";
		}
		text.remove_prefix(length);
	}
	return result;
}

class Drawing {
  public:
	explicit Drawing(const Story& story) : story_(story) {}

	std::string draw();

  private:
	void title_row(std::string_view title, std::string_view content);
	void heads();
	void step(const Step& step);
	void arrow(const Step& step);
	void act(const Step& step);
	void silence(const Step& step);
	void legend();
	void lifelines(std::size_t height, bool quiet);
	void time(const Step& step, std::size_t y);
	void text(std::size_t x, std::size_t y, std::string_view anchor, std::string_view classes,
	          std::string_view content);
	[[nodiscard]] std::string_view severity_class() const;
	[[nodiscard]] std::string document() const;

	const Story& story_;
	std::string body_;
	std::size_t y_ = margin;
};

std::string_view Drawing::severity_class() const {
	switch (story_.severity) {
	case Severity::error: return "error";
	case Severity::warning: return "warning";
	default: return "info";
	}
}

void Drawing::text(std::size_t x, std::size_t y, std::string_view anchor, std::string_view classes,
                   std::string_view content) {
	body_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" class=\"{}\" "
	                     "xml:space=\"preserve\">{}</text>\n",
	                     x, y, anchor, classes, escaped(content));
}

void Drawing::title_row(std::string_view title, std::string_view content) {
	if (content.empty()) {
		return;
	}
	text(margin, y_ + line_height - 5, "start", "title", title);
	for (const std::string& line : wrap(content, text_columns)) {
		text(titles, y_ + line_height - 5, "start", "", line);
		y_ += line_height;
	}
}

void Drawing::lifelines(std::size_t height, bool quiet) {
	for (const std::size_t x : {left, right}) {
		body_ +=
			fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\" class=\"life{3}\"/>\n",
		                x, y_, y_ + height, quiet ? " quiet" : "");
	}
}

void Drawing::heads() {
	constexpr std::string_view ellipsis = "…";
	y_ += line_height / 2;
	const std::string_view owner = story_.owner.empty() ? "local" : std::string_view{story_.owner};
	text(left, y_ + line_height - 5, "start", "head", cut(owner, head_columns, ellipsis));
	text(right, y_ + line_height - 5, "end", "head", cut(story_.remote, head_columns, ellipsis));
	y_ += line_height;
	lifelines(line_height / 2, false);
	y_ += line_height / 2;
}

void Drawing::time(const Step& step, std::size_t y) {
	if (step.at) {
		const std::string classes =
			step.subject ? fmt::format("time {}", severity_class()) : "time";
		text(left - 14, y, "end", classes, (step.inferred ? "~" : "") + offset_text(*step.at));
	}
}

void Drawing::step(const Step& step) {
	switch (step.kind) {
	case StepKind::outbound:
	case StepKind::inbound: arrow(step); break;
	case StepKind::local: act(step); break;
	case StepKind::idle:
	case StepKind::wait: silence(step); break;
	}
}

/// The text above, the arrow below it.
void Drawing::arrow(const Step& step) {
	const std::vector<std::string> lines = wrap(step.text, step_columns);
	const std::size_t height = line_height * lines.size() + line_height * 2 / 3;
	const std::string state = step.subject    ? fmt::format("subject {}", severity_class())
	                          : step.inferred ? "inferred"
	                                          : "";
	lifelines(height, false);
	for (std::size_t i = 0; i < lines.size(); i++) {
		text((left + right) / 2, y_ + line_height * (i + 1) - 3, "middle",
		     step.subject ? state : "", lines[i]);
	}
	const std::size_t y = y_ + line_height * lines.size() + 4;
	const bool out = step.kind == StepKind::outbound;
	const std::size_t tip = out ? right - 1 : left + 1;
	const std::size_t back = out ? tip - arrow_head : tip + arrow_head;
	body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{}\"/>\n",
	                     out ? left : right, y, back, y, state);
	body_ += fmt::format("<polygon points=\"{},{} {},{} {},{}\" class=\"{}\"/>\n", tip, y, back,
	                     y - 5, back, y + 5,
	                     step.subject    ? severity_class()
	                     : step.inferred ? "inferredtip"
	                                     : "tip");
	time(step, y + 4);
	y_ += height;
}

void Drawing::act(const Step& step) {
	const std::vector<std::string> lines = wrap(step.text, step_columns);
	const std::size_t height = line_height * lines.size() + 4;
	lifelines(height, false);
	const std::string state = step.subject ? fmt::format("subject {}", severity_class()) : "";
	body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"4\" class=\"{}\"/>\n", left,
	                     y_ + line_height - 6, step.subject ? severity_class() : "tip");
	time(step, y_ + line_height - 2);
	for (std::size_t i = 0; i < lines.size(); i++) {
		text(left + 14, y_ + line_height * (i + 1) - 2, "start", state, lines[i]);
	}
	y_ += height;
}

void Drawing::silence(const Step& step) {
	const std::vector<std::string> lines = wrap(step.text, step_columns);
	const std::size_t room = step.kind == StepKind::idle ? line_height : line_height / 3;
	const std::size_t height = line_height * lines.size() + room * 2;
	lifelines(height, true);
	for (std::size_t i = 0; i < lines.size(); i++) {
		text((left + right) / 2, y_ + room + line_height * (i + 1) - 5, "middle", "title",
		     lines[i]);
	}
	y_ += height;
}

void Drawing::legend() {
	lifelines(line_height / 2, false);
	y_ += line_height;
	for (const std::string& line : wrap(legend_of(story_), (width - 2 * margin) / character)) {
		text(margin, y_ + line_height - 5, "start", "title", line);
		y_ += line_height;
	}
	y_ += line_height / 2;
}

std::string Drawing::document() const {
	const std::size_t height = y_ + margin;
	return fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" aria-labelledby="title desc">
<title id="title">{2}</title>
<desc id="desc">{3}</desc>
<style>{4}</style>
<rect class="back" width="{0}" height="{1}"/>
{5}</svg>
)",
	                   width, height, escaped(story_.verdict + " " + story_.id),
	                   escaped(story_.message), style, body_);
}

std::string Drawing::draw() {
	title_row("verdict", headline_of(story_));

	title_row("local",
	          fmt::format("{}{}{}", story_.owner, story_.owner.empty() ? "" : ", ", story_.local));
	title_row("remote", story_.remote);
	heads();
	for (const Step& next : story_.steps) {
		step(next);
	}
	legend();
	title_row("message", story_.message);
	title_row("certainty", story_.confidence);
	title_row("learned", story_.learned);
	title_row("advice", story_.advice);
	return document();
}

} // namespace

std::string svg_of(const Story& story) {
	return Drawing{story}.draw();
}

} // namespace stalesock
