// SPDX-License-Identifier: Apache-2.0
#include "story/layout.hpp"

#include "model/utf8.hpp"
#include "support/catch.hpp"

namespace stalesock::test {

using Lines = std::vector<std::string>;

TEST_CASE("columns: wide, narrow and combining characters", "[model]") {
	CHECK(columns_of("") == 0);
	CHECK(columns_of("nginx") == 5);
	CHECK(columns_of("\u2500\u25ba") == 2);
	CHECK(columns_of("\u65e5\u672c") == 4); // wide
	CHECK(columns_of("e\u0301") == 1);      // combining acute accent
	CHECK(columns_of("\U0001f600") == 2);   // emoji
	CHECK(columns_of("a\u200bb") == 2);     // no width at all
}

TEST_CASE("what is too long is cut, with an ellipsis", "[story]") {
	CHECK(cut("nginx", 5, "...") == "nginx");
	CHECK(cut("nginx1", 5, "...") == "ng...");
	CHECK(cut("nginx1", 2, "...") == "..");
	CHECK(cut("nginx1", 0, "...").empty());
	CHECK(cut("\u65e5\u672c\u8a9e", 5, "\u2026") == "\u65e5\u672c\u2026");
	CHECK(cut("\u65e5\u672c\u8a9e", 4, "\u2026") ==
	      "\u65e5\u2026"); // half a character does not fit
}

TEST_CASE("lines break at spaces, and inside of words that are too long", "[story]") {
	CHECK(wrap("", 10) == Lines{""});
	CHECK(wrap("one two three", 13) == Lines{"one two three"});
	CHECK(wrap("one two three", 12) == Lines{"one two", "three"});
	CHECK(wrap("one two three", 7) == Lines{"one two", "three"});
	CHECK(wrap("one two three", 6) == Lines{"one", "two", "three"});
	CHECK(wrap("abcdefgh", 3) == Lines{"abc", "def", "gh"});
	CHECK(wrap("a  b", 1) == Lines{"a", "b"});
	CHECK(wrap("\u65e5\u672c", 1) ==
	      Lines{"\u65e5", "\u672c"}); // wider than the line: still an end
}

TEST_CASE("every line of every width fits", "[story]") {
	const std::string text = "\\x1b[31m\u65e5\u672c\u8a9e "
							 "[2001:db8:1111:2222:3333:4444:5555:6666]:65535 wrote, and so on";
	for (std::size_t width = 2; width < 100; width++) {
		std::string joined;
		for (const std::string& line : wrap(text, width)) {
			CAPTURE(width, line);
			CHECK(columns_of(line) <= width);
			joined += line;
		}
		std::string letters = text;
		std::erase(letters, ' ');
		std::erase(joined, ' ');
		CHECK(joined == letters); // nothing is lost
	}
}

TEST_CASE("beyond ASCII: bytes in hexadecimal", "[story]") {
	CHECK(ascii_only("a\u00e9b") == "a\\xc3\\xa9b");
	CHECK(ascii_only("plain \\x1b") == "plain \\x1b");
}

TEST_CASE("offsets have a sign and as many digits as one can use", "[story]") {
	using std::chrono::microseconds;
	using std::chrono::milliseconds;
	using std::chrono::seconds;
	CHECK(offset_text(seconds(0)) == "0");
	CHECK(offset_text(microseconds(30)) == "+0.03 ms");
	CHECK(offset_text(microseconds(498'030)) == "+498.03 ms");
	CHECK(offset_text(-milliseconds(2002)) == "-2.002 s");
	CHECK(offset_text(seconds(999)) == "+999.000 s");
	CHECK(offset_text(seconds(1000)) == "+1000 s");
	CHECK(offset_text(seconds(86'400)) == "+24.0 h");
	for (const auto& time : {seconds(1), seconds(999), seconds(35'999), seconds(36'000),
	                         seconds(365 * 86'400), seconds(50L * 365 * 86'400)}) {
		CHECK(offset_text(-time).size() <= 11);
	}
}

} // namespace stalesock::test
