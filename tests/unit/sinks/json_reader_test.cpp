// SPDX-License-Identifier: Apache-2.0
#include "sinks/json_reader.hpp"

#include "sinks/journal_record.hpp"
#include "sinks/json.hpp"
#include "sinks/samples.hpp"
#include "support/catch.hpp"

#include <fstream>

namespace stalesock::test {

namespace {

using matchers::Contains;

std::string complaint(std::string_view line) {
	try {
		return read_verdict_line(line) ? "read" : "no verdict";
	} catch (const std::invalid_argument& problem) {
		return problem.what();
	}
}

/// The minimal verdict with one text replaced.
std::string changed(std::string_view from, std::string_view to) {
	std::string line = json_line(minimal_verdict(), sample_time);
	const std::size_t at = line.find(from);
	REQUIRE(at != std::string::npos);
	return line.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("what was written is read back, to the byte", "[sinks]") {
	for (const Verdict& verdict : {full_verdict(), minimal_verdict()}) {
		const std::string line = json_line(verdict, sample_time);
		const auto read = read_verdict_line(line);
		REQUIRE(read.has_value());
		CHECK(json_line(read->verdict, read->time) == line);
	}
}

TEST_CASE("what the journal has is read back, to the byte", "[sinks][journal]") {
	Verdict numeric = full_verdict();
	numeric.owner.command = "123"; // a text all the same
	numeric.owner.unit = "true";
	for (const Verdict& verdict : {full_verdict(), minimal_verdict(), numeric}) {
		std::vector<JournalField> fields = {{"_PID", "1"}, {"STALESOCK_", "x"}, {"", ""}};
		for (const std::string& field : journal_record(verdict, sample_time)) {
			const std::size_t equals = field.find('=');
			fields.emplace_back(field.substr(0, equals), field.substr(equals + 1));
		}
		const auto read = read_verdict_fields(fields);
		REQUIRE(read.has_value());
		CHECK(json_line(read->verdict, read->time) == json_line(verdict, sample_time));
	}
	CHECK_FALSE(read_verdict_fields({}).has_value());
	CHECK_FALSE(read_verdict_fields({{"STALESOCK_CONNECTION", "5"}, {"MESSAGE", "x"}}).has_value());
	CHECK_THROWS_AS(read_verdict_fields({{"STALESOCK_CONNECTION", "5"},
	                                     {"STALESOCK_CONNECTION_REMOTE", "10.0.0.7:80"}}),
	                std::invalid_argument);
}

TEST_CASE("every verdict of the golden files is read back, to the byte", "[sinks]") {
	int verdicts = 0;
	for (const char* name :
	     {"verdicts", "hostile", "recordings/stale_reuse", "recordings/reuse_race",
	      "recordings/dirty_close", "recordings/farewell", "recordings/model"}) {
		std::ifstream file(std::string(STALESOCK_TEST_FILES) + "/golden/" + name + ".jsonl");
		REQUIRE(file.is_open());
		for (std::string line; std::getline(file, line);) {
			if (const auto read = read_verdict_line(line)) {
				CHECK(json_line(read->verdict, read->time) == line);
				verdicts++;
			}
		}
	}
	CHECK(verdicts > 10);
}

TEST_CASE("other lines are no verdicts", "[sinks]") {
	CHECK(complaint(json_line(full_event(), sample_time)) == "no verdict");
	CHECK(complaint(json_line(Note{Lost{1, 2}}, sample_time)) == "no verdict");
	CHECK(complaint(json_line(full_sum(), sample_time)) == "no verdict");
	CHECK(complaint("{}") == "no verdict");
}

TEST_CASE("what breaks the contract is named", "[sinks]") {
	CHECK(complaint("") == "is no JSON object");
	CHECK(complaint("[1]") == "is no JSON object");
	CHECK(complaint(json_line(full_verdict(), sample_time).substr(0, 100)) == "is no JSON object");
	CHECK_THAT(complaint(changed("idle_close", "\\u001b[31m")),
	           Contains("verdict: \"\\x1b[31m\" is not known to this version"));
	CHECK_THAT(complaint(changed("2026-11-21T02:40:00.123456Z", "yesterday")),
	           Contains("time: \"yesterday\" is no time"));
	CHECK_THAT(complaint(changed("\"7-1\"", "7")), Contains("id: is not what the schema says"));
	CHECK_THAT(complaint(changed("\"id\"", "\"name\"")), Contains("id: is missing"));
	CHECK_THAT(complaint(changed("\"evidence\":{}", "\"evidence\":[]")),
	           Contains("evidence: is no object"));
	for (const char* bad : {"-1", "1e300", "\"2\"", "null"}) {
		CHECK_THAT(complaint(changed("\"evidence\":{}",
		                             "\"evidence\":{\"idle_ms\":" + std::string(bad) + "}")),
		           Contains("idle_ms: is no time in milliseconds"));
	}
	for (const char* bad : {"-1", "1.5", "99999999999999999999", "true"}) {
		CHECK_THAT(complaint(changed("\"evidence\":{}",
		                             "\"evidence\":{\"bytes_sent\":" + std::string(bad) + "}")),
		           Contains("bytes_sent: is not what the schema says"));
	}
}

TEST_CASE("unknown fields of later versions are no harm", "[sinks]") {
	CHECK(complaint(changed("\"evidence\":{}", "\"evidence\":{\"news\":[1]},\"more\":{}")) ==
	      "read");
}

} // namespace stalesock::test
