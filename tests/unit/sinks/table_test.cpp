// SPDX-License-Identifier: Apache-2.0
#include "sinks/table.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/snapshot_sample.hpp"

#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

namespace stalesock::test {

using namespace std::chrono_literals;

namespace {

struct Sample {
	SocketTable table = snapshot_sample();
	SampleMemory memory;
	std::vector<std::uint32_t> all = std::vector<std::uint32_t>(table.sockets.size());
	SnapshotHead head;

	Sample() {
		std::iota(all.begin(), all.end(), 0U);
		memory.peers[*parse_endpoint("10.0.0.7:8080")] = {5s, 1ms, 41};
		memory.connections[3] = {sample_moment - 61s, {}, Role::active, "idle_close"};
		head.time = WallTime(std::chrono::seconds(1'795'000'000));
		head.existing = 12;
		head.shown = table.sockets.size();
		head.stale = 2;
		head.namespaces = 2;
		head.gaps = {"sockets of network namespace 7 are not shown: setns needs CAP_SYS_ADMIN"};
	}
	[[nodiscard]] RowReader reader() const { return {table, sample_moment, &memory}; }
};

std::vector<std::string> lines_of(const std::string& text) {
	std::vector<std::string> lines;
	std::istringstream stream(text);
	for (std::string line; std::getline(stream, line);) {
		lines.push_back(line);
	}
	return lines;
}

Columns every_column() {
	Columns columns;
	for (const Column& column : all_columns()) {
		columns.push_back(&column);
	}
	return columns;
}

std::string text_of(const Sample& sample, const Columns& columns, const TextOptions& options) {
	std::string out;
	write_text_table(columns, options, sample.head, sample.reader(), sample.table.sockets,
	                 sample.all, [&out](std::string_view piece) {
						 out += piece;
						 return true;
					 });
	return out;
}

std::string json_of(const Sample& sample, const Columns& columns) {
	Helper helper;
	std::string out;
	const Output output = [&out](std::string_view piece) {
		out += piece;
		return true;
	};
	CHECK(JsonTable(columns).write(sample.head, sample.reader(), sample.table.sockets, sample.all,
	                               output, helper));
	return out;
}

} // namespace

TEST_CASE("a snapshot as text", "[table][golden]") {
	check_golden("snapshot.txt", lines_of(text_of(Sample{}, every_column(), {})));
}

TEST_CASE("a snapshot as JSON lines", "[table][golden]") {
	check_golden("snapshot.json.txt", lines_of(json_of(Sample{}, every_column())));
}

TEST_CASE("groups as text and as JSON", "[table][golden]") {
	const Sample sample;
	const std::vector<Group> groups =
		group_by(GroupBy::process, sample.reader(), sample.table.sockets, sample.all);
	std::string out;
	const auto append = [&out](std::string_view piece) {
		out += piece;
		return true;
	};
	write_text_groups(GroupBy::process, {}, sample.head, groups, append);
	write_json_groups(GroupBy::process, sample.head, groups, append);
	check_golden("snapshot-groups.txt", lines_of(out));
}

TEST_CASE("every line is an object, and only chosen columns are in it", "[table]") {
	std::istringstream lines(json_of(Sample{}, {find_column("state"), find_column("fin")}));
	std::string line;
	std::getline(lines, line);
	CHECK(nlohmann::json::parse(line).at("shown") == 9);
	std::size_t count = 0;
	while (std::getline(lines, line)) {
		const auto object = nlohmann::json::parse(line);
		CHECK(object.at("connection").size() == 1);
		CHECK_FALSE(object.contains("owner"));
		count++;
	}
	CHECK(count == 9);
}

TEST_CASE("a socket of which nothing that was asked for is known is an object all the same",
          "[table]") {
	const std::string text = json_of(Sample{}, {find_column("verdict")});
	CHECK(text.find("{\"record\":\"socket\"}\n") != std::string::npos);
}

TEST_CASE("lines are cut to the terminal by characters, without splitting one", "[table]") {
	Sample sample;
	sample.table.processes[1].command = "caf\xc3\xa9\xc3\xa9";
	TextOptions options;
	options.head = false;
	options.columns = 4;
	const std::string text = text_of(sample, {find_column("command")}, options);
	CHECK(text.substr(0, 6) == "caf\xc3\xa9\n");
}

TEST_CASE("nothing more is written when the reader has gone", "[table]") {
	const Sample sample;
	Helper helper;
	int pieces = 0;
	const Output output = [&pieces](std::string_view) {
		pieces++;
		return false;
	};
	CHECK_FALSE(
		JsonTable(every_column())
			.write(sample.head, sample.reader(), sample.table.sockets, sample.all, output, helper));
	CHECK(pieces == 1);
}

} // namespace stalesock::test
