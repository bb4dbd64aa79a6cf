// SPDX-License-Identifier: Apache-2.0
#include "tui/view.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/snapshot_sample.hpp"

#include <algorithm>
#include <set>

namespace stalesock::test {

using matchers::Contains;
using namespace std::chrono_literals;

namespace {

/// A view of the sample as a user has it.
struct Fixture {
	SocketTable table = snapshot_sample();
	SampleMemory memory;
	std::optional<RowReader> reader;
	View view;

	explicit Fixture(View::Options options = {}) : view(std::move(options)) {
		memory.connections[3] = {sample_moment - 61s, {}, Role::active, "idle_close"};
		view.resize({24, 80});
		refresh();
	}

	void refresh() {
		reader.emplace(table, sample_moment, &memory);
		ViewData data;
		data.time = "12:34:56";
		data.hook_class = "tracepoint";
		data.verdicts = {{"stale_reuse", 3}, {"idle_close", 1}};
		data.recent = {"12:34:55.100  error    stale_reuse  java (pid 4711) wrote 33 B"};
		data.sockets = table.sockets;
		data.reader = &*reader;
		view.update(data);
	}
	void press(Key key) { view.press({key, 0}); }
	void type(std::string_view text) {
		for (const char c : text) {
			view.press({Key::character, static_cast<char32_t>(c)});
		}
	}
	[[nodiscard]] std::uint64_t selected() const {
		return view.selected() == nullptr ? 0 : view.selected()->cookie;
	}
	[[nodiscard]] std::vector<std::string> screen(std::size_t columns = 80) const {
		return frame_text(view.draw(), columns);
	}
	[[nodiscard]] std::string text() const {
		std::string all;
		for (const std::string& line : screen(400)) {
			all += line + '\n';
		}
		return all;
	}
};

} // namespace

TEST_CASE("the stale connection is selected first", "[view]") {
	Fixture fixture;
	CHECK(fixture.selected() == 3);
}

TEST_CASE("arrows and pages move within the table", "[view]") {
	Fixture fixture;
	fixture.press(Key::up);
	CHECK(fixture.selected() == 3);
	fixture.press(Key::down);
	CHECK(fixture.selected() == 4);
	fixture.press(Key::end);
	const std::uint64_t last = fixture.selected();
	fixture.press(Key::down);
	CHECK(fixture.selected() == last);
	fixture.press(Key::page_up);
	fixture.press(Key::home);
	CHECK(fixture.selected() == 3);
}

TEST_CASE("the selection follows its connection to another place", "[view]") {
	Fixture fixture;
	fixture.press(Key::down);
	REQUIRE(fixture.selected() == 4);
	SocketEntry newcomer = fixture.table.sockets[2];
	newcomer.cookie = 99;
	fixture.table.sockets.insert(fixture.table.sockets.begin(), newcomer);
	std::reverse(fixture.table.sockets.begin(), fixture.table.sockets.end());
	fixture.refresh();
	CHECK(fixture.selected() == 4);
}

TEST_CASE("until a row is chosen the first one is selected", "[view]") {
	Fixture fixture;
	SocketEntry newcomer = fixture.table.sockets[2];
	newcomer.cookie = 99;
	fixture.table.sockets.insert(fixture.table.sockets.begin(), newcomer);
	fixture.refresh();
	CHECK(fixture.selected() == 99);
}

TEST_CASE("when its connection is gone the selection stays in its place", "[view]") {
	Fixture fixture;
	fixture.table.sockets.erase(fixture.table.sockets.begin() + 2);
	fixture.refresh();
	CHECK(fixture.selected() == 4);
}

TEST_CASE("the page of a connection never becomes that of another one", "[view]") {
	Fixture fixture;
	fixture.press(Key::enter);
	REQUIRE(fixture.view.page() == View::Page::detail);
	CHECK_THAT(fixture.text(), Contains("idle_close") && Contains("10.0.0.1:40002"));
	fixture.table.sockets.erase(fixture.table.sockets.begin() + 2);
	fixture.refresh();
	CHECK_THAT(fixture.text(), Contains("This connection is gone."));
	fixture.press(Key::escape);
	CHECK(fixture.view.page() == View::Page::table);
}

TEST_CASE("a filter shows what contains a text, and an empty one everything", "[view]") {
	Fixture fixture;
	fixture.type("\\");
	fixture.type("javx");
	fixture.press(Key::backspace);
	fixture.type("a");
	fixture.press(Key::enter);
	CHECK_THAT(fixture.screen()[0], Contains("2/9 sockets"));
	CHECK_THAT(fixture.text(), !Contains("nginx"));
	fixture.press(Key::filter);
	for (int i = 0; i < 4; i++) {
		fixture.press(Key::backspace);
	}
	fixture.press(Key::enter);
	CHECK_THAT(fixture.screen()[0], Contains("9/9 sockets"));
}

TEST_CASE("escape leaves a prompt without effect", "[view]") {
	Fixture fixture;
	fixture.press(Key::filter);
	fixture.type("java");
	fixture.press(Key::escape);
	CHECK_THAT(fixture.screen()[0], Contains("9/9 sockets"));
}

TEST_CASE("letters in a prompt are text, not commands", "[view]") {
	Fixture fixture;
	fixture.press(Key::search);
	fixture.type("q");
	CHECK_FALSE(fixture.view.wants_to_quit());
	CHECK_THAT(fixture.screen().back(), Contains("Search: q"));
}

TEST_CASE("search goes on from the selection and round", "[view]") {
	Fixture fixture;
	fixture.type("/");
	fixture.type("nginx");
	fixture.press(Key::enter);
	const std::uint64_t first = fixture.selected();
	fixture.type("n");
	const std::uint64_t second = fixture.selected();
	CHECK(std::set<std::uint64_t>{first, second} == std::set<std::uint64_t>{1, 2});
	fixture.type("n");
	CHECK(fixture.selected() == first);
	fixture.type("/");
	fixture.type("nobody");
	fixture.press(Key::enter);
	CHECK(fixture.selected() == first);
	CHECK_THAT(fixture.screen().back(), Contains("not found: nobody"));
}

TEST_CASE("a column is chosen for the order, and turned round", "[view]") {
	Fixture fixture;
	fixture.type("s");
	REQUIRE(fixture.view.page() == View::Page::sort);
	fixture.press(Key::home);
	const auto columns = all_columns();
	for (std::size_t i = 0; columns[i].name != "fin"; i++) {
		fixture.press(Key::down);
	}
	fixture.press(Key::enter);
	fixture.press(Key::home);
	CHECK(fixture.selected() == 4); // 3 h before 498 ms
	fixture.type("r");
	fixture.press(Key::home);
	CHECK(fixture.selected() == 3);
}

TEST_CASE("groups one after the other, then sockets again", "[view]") {
	Fixture fixture;
	for (const char* title : {"BY process", "BY unit", "BY remote", "BY listener"}) {
		fixture.type("g");
		CHECK_THAT(fixture.text(), Contains(title));
		CHECK(fixture.view.selected() == nullptr);
		fixture.press(Key::enter); // no page of its own
		CHECK(fixture.view.page() == View::Page::table);
	}
	fixture.type("g");
	CHECK(fixture.view.selected() != nullptr);
}

TEST_CASE("a frozen screen takes no snapshot", "[view]") {
	Fixture fixture;
	fixture.type(" ");
	REQUIRE(fixture.view.is_frozen());
	const SocketTable before = fixture.table;
	const RowReader frozen(before, sample_moment);
	ViewData other;
	other.time = "23:59:59";
	fixture.view.update(other);
	CHECK_THAT(fixture.screen()[0], Contains("12:34:56") && Contains("FROZEN"));
	fixture.type(" ");
	CHECK_FALSE(fixture.view.is_frozen());
}

TEST_CASE("only stale ones", "[view]") {
	Fixture fixture;
	fixture.type("S");
	CHECK_THAT(fixture.screen()[0], Contains("2/9 sockets"));
}

TEST_CASE("left and right scroll the columns", "[view]") {
	Fixture fixture;
	const std::string before = fixture.screen()[3];
	fixture.press(Key::right);
	CHECK(fixture.screen()[3].substr(0, 20) == before.substr(8, 20));
	fixture.press(Key::left);
	fixture.press(Key::left);
	CHECK(fixture.screen()[3] == before);
}

TEST_CASE("q and F10 leave", "[view]") {
	Fixture letter;
	letter.type("q");
	CHECK(letter.view.wants_to_quit());
	Fixture key;
	key.press(Key::search);
	key.press(Key::quit);
	CHECK(key.view.wants_to_quit());
}

TEST_CASE("every size has as many lines as the terminal", "[view]") {
	Fixture fixture;
	for (const FrameSize size :
	     {FrameSize{1, 1}, {2, 5}, {3, 20}, {5, 20}, {12, 40}, {24, 80}, {60, 240}}) {
		fixture.view.resize(size);
		for (const Key key : {Key::none, Key::help, Key::down, Key::escape}) {
			fixture.press(key);
			CHECK(fixture.view.draw().size() == size.rows);
		}
	}
}

TEST_CASE("an empty host, and no snapshot yet", "[view]") {
	View view({});
	view.resize({24, 80});
	for (const char32_t letter : U"gsrnS /") {
		view.press({Key::character, letter});
		view.press({Key::enter, 0});
		CHECK(view.draw().size() == 24);
	}
	Fixture fixture;
	fixture.table.sockets.clear();
	fixture.refresh();
	fixture.press(Key::down);
	CHECK(fixture.view.selected() == nullptr);
}

TEST_CASE("names from outside cannot drive the terminal", "[view]") {
	Fixture fixture;
	CHECK_THAT(fixture.text(), Contains("\\x1b[31mevil"));
	fixture.type("\\");
	fixture.view.press({Key::character, 0x9b}); // CSI as one character
	for (const std::string& line : fixture.screen(400)) {
		CHECK(line.find('\x1b') == std::string::npos);
		CHECK(line.find("\xc2\x9b") == std::string::npos);
	}
}

TEST_CASE("screens of two sizes", "[view][golden]") {
	Fixture fixture;
	std::vector<std::string> lines = fixture.screen();
	fixture.view.resize({5, 20});
	for (const std::string& line : fixture.screen(20)) {
		lines.push_back(line);
	}
	check_golden("screens.txt", lines);
}

} // namespace stalesock::test
