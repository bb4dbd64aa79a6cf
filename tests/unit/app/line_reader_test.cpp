// SPDX-License-Identifier: Apache-2.0
#include "app/line_reader.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

namespace stalesock::test {

namespace {

using Lines = std::vector<std::string>;

/// Gives this text in pieces, then the error, if any.
LineReader::Input input_of(std::string text, std::size_t piece, int error = 0) {
	return [text = std::move(text), piece, error,
	        at = std::size_t{0}](std::span<std::byte> to) mutable -> ssize_t {
		const std::size_t count = std::min({piece, to.size(), text.size() - at});
		std::copy_n(std::as_bytes(std::span(text)).begin() + static_cast<std::ptrdiff_t>(at), count,
		            to.begin());
		at += count;
		return count == 0 ? -error : static_cast<ssize_t>(count);
	};
}

Lines all(LineReader& reader) {
	Lines lines;
	while (const auto line = reader.next()) {
		lines.emplace_back(*line);
	}
	return lines;
}

} // namespace

TEST_CASE("lines, in whatever pieces they come", "[app]") {
	for (const std::size_t piece : {1, 2, 3, 100}) {
		LineReader reader(input_of("one\n\ntwo\nthree", piece));
		CHECK(all(reader) == Lines{"one", "", "two", "three"});
		CHECK(reader.number() == 4);
		CHECK(reader.offset() == 14);
		CHECK(reader.error() == 0);
	}
	LineReader empty(input_of("", 1));
	CHECK(all(empty).empty());
	LineReader ended(input_of("one\n", 100));
	CHECK(all(ended) == Lines{"one"});
}

TEST_CASE("a line that is too long is left out and counted, the others are there", "[app]") {
	const std::string endless(LineReader::longest_line * 3, 'x');
	LineReader reader(input_of("one\n" + endless + "\ntwo\n" + endless, 10'000));
	CHECK(all(reader) == Lines{"one", "two"});
	CHECK(reader.too_long() == 2);
	CHECK(reader.first_too_long() == 2);
}

TEST_CASE("an error ends it, after what was read before", "[app]") {
	LineReader reader(input_of("one\ntwo", 3, EIO));
	CHECK(all(reader) == Lines{"one", "two"});
	CHECK(reader.error() == EIO);
}

} // namespace stalesock::test
