// SPDX-License-Identifier: Apache-2.0
// What `list` and `top -b` print of a snapshot that a real kernel once gave.
#include "app/snapshot_view.hpp"

#include "model/columns.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/recorded_snapshot.hpp"

#include <sstream>

namespace stalesock::test {

namespace {

std::vector<std::string> printed(const TableConfig& config) {
	RecordedSnapshot recorded = read_recorded_snapshot("states.snapshot");
	Helper helper;
	TableView view(config, helper);
	view.table() = std::move(recorded.table);
	view.show({recorded.boot, recorded.wall}, nullptr);
	std::string text;
	CHECK(view.write(view.head(), {}, [&text](std::string_view piece) {
		text += piece;
		return true;
	}));
	std::vector<std::string> lines;
	std::istringstream stream(text);
	for (std::string line; std::getline(stream, line);) {
		lines.push_back(line);
	}
	return lines;
}

Columns columns(std::initializer_list<const char*> names) {
	Columns chosen;
	for (const char* name : names) {
		chosen.push_back(find_column(name));
		REQUIRE(chosen.back() != nullptr);
	}
	return chosen;
}

} // namespace

TEST_CASE("a recorded snapshot as text", "[list][golden]") {
	check_golden("snapshots/states.txt", printed({}));
}

TEST_CASE("a recorded snapshot as JSON lines", "[list][golden]") {
	TableConfig config;
	config.json = true;
	check_golden("snapshots/states.jsonl", printed(config));
}

TEST_CASE("a recorded snapshot: those that are stale, sorted, in chosen columns",
          "[list][golden]") {
	TableConfig config;
	config.filter.stale = true;
	config.sort = find_column("fin");
	config.columns = columns({"fin", "local", "remote", "unread", "closer", "command"});
	check_golden("snapshots/stale.txt", printed(config));
}

TEST_CASE("a recorded snapshot, counted", "[list][golden]") {
	const auto [by, file] = GENERATE(table<GroupBy, const char*>({
		{GroupBy::process, "snapshots/by-process.txt"},
		{GroupBy::listener, "snapshots/by-listener.txt"},
		{GroupBy::remote, "snapshots/by-remote.txt"},
	}));
	TableConfig config;
	config.by = by;
	check_golden(file, printed(config));
}

} // namespace stalesock::test
