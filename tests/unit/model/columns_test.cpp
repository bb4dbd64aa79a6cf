// SPDX-License-Identifier: Apache-2.0
#include "model/columns.hpp"

#include "model/append.hpp"
#include "support/catch.hpp"
#include "support/snapshot_sample.hpp"

#include <numeric>
#include <set>

namespace stalesock::test {

using namespace std::chrono_literals;

namespace {

std::string duration(Nanoseconds value) {
	std::string out;
	append_duration(out, value);
	return out;
}

std::string json_string(std::string_view text) {
	std::string out;
	append_json_string(out, text);
	return out;
}

std::vector<std::uint64_t> sorted(std::string_view column, bool reversed) {
	const SocketTable table = snapshot_sample();
	std::vector<std::uint32_t> order(table.sockets.size());
	std::iota(order.begin(), order.end(), 0U);
	sort_by(*find_column(column), reversed, RowReader(table, sample_moment), table.sockets, order);
	std::vector<std::uint64_t> cookies;
	for (const std::uint32_t index : order) {
		cookies.push_back(table.sockets[index].cookie);
	}
	return cookies;
}

} // namespace

TEST_CASE("every column can be found, and no two have the same name", "[columns]") {
	std::set<std::string_view> names;
	std::set<std::pair<Section, std::string_view>> fields;
	for (const Column& column : all_columns()) {
		CHECK(find_column(column.name) == &column);
		CHECK(names.insert(column.name).second);
		CHECK(fields.insert({column.section, column.field}).second);
		CHECK(column.title.size() <= column.width);
	}
	CHECK(find_column("no-such-column") == nullptr);
}

TEST_CASE("durations have three digits and a unit", "[columns]") {
	CHECK(duration(0ns) == "0ms");
	CHECK(duration(999ms) == "999ms");
	CHECK(duration(1s) == "1.00s");
	CHECK(duration(9999ms) == "9.99s");
	CHECK(duration(10s) == "10.0s");
	CHECK(duration(59'999ms) == "59.9s");
	CHECK(duration(60s) == "1m00s");
	CHECK(duration(3599s) == "59m59s");
	CHECK(duration(1h) == "1h00m");
	CHECK(duration(24h - 1s) == "23h59m");
	CHECK(duration(99h) == "4d03h");
}

TEST_CASE("JSON strings are ASCII and never drive a terminal", "[columns]") {
	CHECK(json_string("a\"b\\c") == R"("a\"b\\c")");
	CHECK(json_string("\x1b[0m\n\x7f") == R"("\u001b[0m\u000a\u007f")");
	CHECK(json_string("caf\xc3\xa9") == R"("caf\u00e9")");
	CHECK(json_string("\xf0\x9f\x98\x80") == R"("\ud83d\ude00")");
	CHECK(json_string("a\xff") == R"("a\ufffd")");
}

TEST_CASE("unknown comes last in either direction", "[columns]") {
	const std::vector<std::uint64_t> falling = sorted("fin", false);
	const std::vector<std::uint64_t> rising = sorted("fin", true);
	CHECK(std::vector(falling.begin(), falling.begin() + 2) == std::vector<std::uint64_t>{4, 3});
	CHECK(std::vector(rising.begin(), rising.begin() + 2) == std::vector<std::uint64_t>{3, 4});
}

TEST_CASE("stale sockets come first by state", "[columns]") {
	const std::vector<std::uint64_t> order = sorted("state", false);
	CHECK(std::vector(order.begin(), order.begin() + 2) == std::vector<std::uint64_t>{3, 4});
}

TEST_CASE("endpoints sort by number, not by their text", "[columns]") {
	SocketTable table;
	table.sockets = {connected(1, "10.0.0.10:1", "10.0.0.1:1"),
	                 connected(2, "10.0.0.9:200", "10.0.0.1:1"),
	                 connected(3, "10.0.0.9:30", "10.0.0.1:1")};
	std::vector<std::uint32_t> order{0, 1, 2};
	sort_by(*find_column("local"), false, RowReader(table, sample_moment), table.sockets, order);
	CHECK(order == std::vector<std::uint32_t>{2, 1, 0});
}

} // namespace stalesock::test
