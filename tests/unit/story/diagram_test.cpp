// SPDX-License-Identifier: Apache-2.0
// The pictures themselves are golden files: tests/golden/explain.
#include "story/diagram.hpp"

#include "model/utf8.hpp"
#include "sinks/samples.hpp"
#include "story/svg.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

namespace stalesock::test {

namespace {

using matchers::Contains;

/// The worst names and addresses there are.
Story hostile_story() {
	Verdict verdict = full_verdict();
	verdict.owner.command = std::string(15, '\x1b');
	verdict.owner.unit = std::string(200, 'u') + "\u65e5\u672c\u8a9e";
	verdict.connection.local = endpoint("[2001:db8:1111:2222:3333:4444:5555:6666]:65535");
	verdict.connection.remote = endpoint("[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535");
	verdict.message = std::string(300, 'm') + " \u65e5\u672c\u8a9e";
	verdict.evidence.bytes_sent = verdict.evidence.bytes_received =
		std::numeric_limits<std::uint64_t>::max();
	verdict.evidence.bytes_after_fin = std::numeric_limits<std::uint64_t>::max();
	return tell(verdict, nullptr);
}

std::vector<std::string> lines_of(const std::string& text) {
	std::vector<std::string> lines;
	std::istringstream in(text);
	for (std::string line; std::getline(in, line);) {
		lines.push_back(line);
	}
	return lines;
}

bool is_ascii(const std::string& text) {
	return std::all_of(text.begin(), text.end(),
	                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

} // namespace

TEST_CASE("no line is wider than was asked for", "[story]") {
	for (const Story& story :
	     {tell(full_verdict(), nullptr), hostile_story(), tell(minimal_verdict(), nullptr)}) {
		for (std::size_t width = narrowest_diagram; width <= widest_diagram; width++) {
			for (const bool ascii : {false, true}) {
				const std::string text = diagram_of(story, {.width = width, .ascii = ascii});
				CHECK((!ascii || is_ascii(text)));
				for (const std::string& line : lines_of(text)) {
					CAPTURE(width, line);
					CHECK(columns_of(line) <= width);
				}
			}
		}
	}
}

TEST_CASE("absurd widths become possible ones", "[story]") {
	const Story story = hostile_story();
	CHECK(diagram_of(story, {.width = 0}) == diagram_of(story, {.width = narrowest_diagram}));
	CHECK(diagram_of(story, {.width = 100'000}) == diagram_of(story, {.width = widest_diagram}));
}

TEST_CASE("the offending line alone is marked, and coloured", "[story]") {
	const Story story = tell(full_verdict(), nullptr);
	const auto marked = [](const std::string& text, std::string_view mark) {
		std::vector<std::string> result;
		for (const std::string& line : lines_of(text)) {
			if (line.find(mark) != std::string::npos) {
				result.push_back(line);
			}
		}
		return result;
	};
	const auto with_cross = marked(diagram_of(story, {}), "\u2717");
	REQUIRE(with_cross.size() == 1);
	CHECK_THAT(with_cross[0], Contains("nginx wrote 163 B"));
	const auto painted = marked(diagram_of(story, {.colour = true}), "\x1b[1;31m");
	REQUIRE(painted.size() == 1);
	CHECK_THAT(painted[0], Contains("nginx wrote 163 B") && Contains("\x1b[0m"));
	CHECK(marked(diagram_of(story, {}), "\x1b").empty());
}

TEST_CASE("texts come below the diagram, or not at all", "[story]") {
	const Story story = tell(full_verdict(), nullptr);
	CHECK_THAT(diagram_of(story, {}), Contains("message") && Contains("advice") &&
	                                      Contains("learned") &&
	                                      Contains("idle for 2.00 s (28 of 30 seen)"));
	CHECK_THAT(diagram_of(story, {.texts = false}), !Contains("message") && !Contains("advice"));
}

TEST_CASE("an SVG escapes what XML would take for its own", "[story]") {
	Verdict verdict = full_verdict();
	verdict.owner.command = "<&\"'>\xef\xbf\xbe"; // U+FFFE is no character of XML
	const std::string svg = svg_of(tell(verdict, nullptr));
	CHECK_THAT(svg, Contains("&lt;&amp;&quot;'&gt;\xef\xbf\xbd"));
	CHECK_THAT(svg, !Contains("<&"));
	CHECK_THAT(svg, !Contains("\xef\xbf\xbe"));
	CHECK_THAT(svg, !Contains("<script") && !Contains("href") && !Contains("url(") &&
	                    !Contains("@import"));
}

TEST_CASE("an SVG has room for everything", "[story]") {
	const std::string svg = svg_of(hostile_story());
	CHECK(std::none_of(svg.begin(), svg.end(),
	                   [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }));
	CHECK_THAT(svg, Contains(std::to_string(std::numeric_limits<std::uint64_t>::max())));
}

} // namespace stalesock::test
