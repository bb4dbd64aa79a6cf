// SPDX-License-Identifier: Apache-2.0
// The records of the journal, and the catalog that explains them. tests/daemon reads them back from journald.
#include "sinks/journal.hpp"

#include "sinks/message_id.hpp"
#include "sinks/samples.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>

namespace stalesock::test {

namespace {

using matchers::Contains;

std::vector<std::string> values_of(const JournalRecord& record, const std::string& name) {
	std::vector<std::string> values;
	for (const std::string& field : record) {
		if (field.starts_with(name + "=")) {
			values.push_back(field.substr(name.size() + 1));
		}
	}
	return values;
}

std::string value_of(const JournalRecord& record, const std::string& name) {
	const auto values = values_of(record, name);
	REQUIRE(values.size() == 1);
	return values.front();
}

/// The text of each entry by its id, its header included.
std::map<std::string, std::string> catalog() {
	std::ifstream file(std::string(STALESOCK_TEST_FILES) +
	                   "/../packaging/journal/stalesock.catalog");
	REQUIRE(file.is_open());
	std::map<std::string, std::string> entries;
	std::string id;
	for (std::string line; std::getline(file, line);) {
		if (line.starts_with("-- ")) {
			id = line.substr(3);
			REQUIRE(entries[id].empty());
		} else if (!id.empty()) {
			entries[id] += line + "\n";
		}
	}
	return entries;
}

bool is_field_name(const std::string& name) {
	return !name.empty() && name.size() <= 64 && name.front() != '_' &&
	       std::all_of(name.begin(), name.end(), [](char letter) {
			   return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
		              letter == '_';
		   });
}

} // namespace

TEST_CASE("what was collapsed is a record about its owner, as severe as its verdicts",
          "[sinks][journal]") {
	const JournalRecord record = journal_record(full_sum(), sample_time);
	CHECK_THAT(value_of(record, "MESSAGE"), Contains("stale_reuse: 37 more of nginx"));
	CHECK(value_of(record, "PRIORITY") == "3");
	CHECK(value_of(record, "MESSAGE_ID") == message_id("collapsed"));
	CHECK(value_of(record, "OBJECT_PID") == "812");
	CHECK(value_of(record, "STALESOCK_COLLAPSED_COUNT") == "37");
	CHECK(values_of(record, "STALESOCK_ID").empty()); // it is no verdict
}

TEST_CASE("each verdict has a MESSAGE_ID", "[sinks][journal]") {
	for (std::size_t i = 0; i < verdict_kind_count; ++i) {
		const std::string name{to_string(static_cast<VerdictKind>(i))};
		CAPTURE(name);
		CHECK_FALSE(message_id(name).empty());
	}
}

TEST_CASE("each MESSAGE_ID is a 128-bit number of its own", "[sinks][journal]") {
	std::set<std::string_view> ids;
	for (const MessageId& row : message_ids()) {
		CAPTURE(row.name);
		CHECK(row.id.size() == 32);
		CHECK(row.id.find_first_not_of("0123456789abcdef") == std::string_view::npos);
		CHECK(ids.insert(row.id).second);
	}
	CHECK(message_id("no such verdict").empty());
}

TEST_CASE("the MESSAGE_IDs that others rely on stay as they are", "[sinks][journal]") {
	CHECK(message_id("stale_reuse") == "04af33e545e34545953370cb98487d6d");
	CHECK(message_id("lost") == "49c488951a8d4188a7ad12b0df96c820");
}

TEST_CASE("the catalog explains each MESSAGE_ID and no other", "[sinks][journal]") {
	auto entries = catalog();
	for (const MessageId& row : message_ids()) {
		CAPTURE(row.name);
		const auto entry = entries.extract(std::string{row.id});
		REQUIRE_FALSE(entry.empty());
		CHECK_THAT(entry.mapped(), Contains("Subject: ") && Contains("\n\n") &&
		                               Contains("What to do: ") &&
		                               Contains("Documentation: man:stalesock(8)"));
	}
	CHECK(entries.empty());
}

TEST_CASE("the catalog names only fields that a record can have", "[sinks][journal]") {
	std::set<std::string> known;
	const Note notes[] = {Started{"1", "6.1", "none", {"gap"}},
	                      Inventoried{1, {"gap"}},
	                      Lost{1, 1},
	                      Resumed{Nanoseconds(1), true, 1, 1, 1, 1, 1},
	                      Reloaded{"problem", {"waiting"}},
	                      OutputGap{"journal", "problem", 1, 1}};
	std::vector<JournalRecord> records{journal_record(full_verdict(), {}),
	                                   journal_record(full_sum(), {})};
	for (const Note& note : notes) {
		records.push_back(journal_record(note, {}));
	}
	for (const JournalRecord& record : records) {
		for (const std::string& field : record) {
			known.insert(field.substr(0, field.find('=')));
		}
	}
	for (const auto& [id, text] : catalog()) {
		for (std::size_t at = text.find('@'); at != std::string::npos;
		     at = text.find('@', at + 1)) {
			const std::size_t end = text.find('@', at + 1);
			REQUIRE(end != std::string::npos);
			CAPTURE(text);
			CHECK(known.count(text.substr(at + 1, end - at - 1)) == 1);
			at = end;
		}
	}
}

TEST_CASE("a record has every field of the JSON line, and names that journald takes",
          "[sinks][journal]") {
	const JournalRecord record = journal_record(full_verdict(), WallTime{std::chrono::seconds(1)});
	CHECK(value_of(record, "MESSAGE") == "nginx (pid 812) wrote 163 B");
	CHECK(value_of(record, "PRIORITY") == "3");
	CHECK(value_of(record, "MESSAGE_ID") == message_id("stale_reuse"));
	CHECK(value_of(record, "STALESOCK_TIME") == "1970-01-01T00:00:01.000000Z");
	CHECK(value_of(record, "STALESOCK_VERDICT") == "stale_reuse");
	CHECK(value_of(record, "STALESOCK_CONNECTION_REMOTE") == "10.0.0.7:8080");
	CHECK(value_of(record, "STALESOCK_CONNECTION_COOKIE") == "42");
	CHECK(value_of(record, "STALESOCK_EVIDENCE_FIN_TO_WRITE_MS") == "498.123");
	CHECK(value_of(record, "STALESOCK_EVIDENCE_EOF_READ") == "false");
	CHECK(value_of(record, "STALESOCK_PEER_OBSERVATIONS") == "28");
	CHECK(value_of(record, "STALESOCK_OWNER_UNIT") == "nginx.service");
	for (const std::string& field : record) {
		CAPTURE(field);
		CHECK(is_field_name(field.substr(0, field.find('='))));
	}
}

TEST_CASE("severities are syslog priorities", "[sinks][journal]") {
	const auto priority = [](VerdictKind kind) {
		Verdict verdict = minimal_verdict();
		verdict.kind = kind;
		return value_of(journal_record(verdict, {}), "PRIORITY");
	};
	CHECK(priority(VerdictKind::stale_reuse) == "3");
	CHECK(priority(VerdictKind::reuse_race) == "4");
	CHECK(priority(VerdictKind::abandoned_response) == "5");
	CHECK(priority(VerdictKind::idle_close) == "6");
}

TEST_CASE("an array is a field for each of its elements", "[sinks][journal]") {
	const JournalRecord record =
		journal_record(Started{"1", "6.1", "none", {"first", "second"}}, {});
	CHECK(values_of(record, "STALESOCK_GAPS") == std::vector<std::string>{"first", "second"});
	CHECK(value_of(record, "STALESOCK_RECORD") == "start");
}

TEST_CASE("text from outside reaches the journal escaped", "[sinks][journal]") {
	Verdict verdict = minimal_verdict();
	verdict.owner = {OwnerSource::scan, 1, hostile_command(), hostile_command()};
	verdict.message = hostile_command();
	for (const std::string& field : journal_record(verdict, {})) {
		CAPTURE(field);
		CHECK(std::none_of(field.begin(), field.end(),
		                   [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; }));
	}
}

TEST_CASE("the owner is named by pid while it runs and by unit afterwards", "[sinks][journal]") {
	const JournalRecord record = journal_record(full_verdict(), {});
	const JournalRecord running = for_delivery(record, true);
	CHECK(value_of(running, "OBJECT_PID") == "812");
	CHECK(values_of(running, "OBJECT_SYSTEMD_UNIT").empty());
	const JournalRecord ended = for_delivery(record, false);
	CHECK(values_of(ended, "OBJECT_PID").empty());
	CHECK(value_of(ended, "OBJECT_SYSTEMD_UNIT") == "nginx.service");
	CHECK(value_of(ended, "STALESOCK_OWNER_PID") == "812");
}

TEST_CASE("a record that had to wait names no pid, which may be another's by then",
          "[sinks][journal]") {
	std::string absence = "away";
	std::vector<JournalRecord> sent;
	JournalSink sink(
		[&](const JournalRecord& record) {
			if (absence.empty()) {
				sent.push_back(record);
			}
			return absence;
		},
		QueuedSink::default_limit);
	Verdict verdict = full_verdict();
	verdict.owner.pid = 1; // runs
	sink.verdict(verdict, {});
	sink.flush();
	absence.clear();
	sink.flush();
	sink.verdict(verdict, {});
	sink.flush();
	CHECK(sink.take_gap().has_value());
	sink.verdict(verdict, {});
	sink.flush();
	REQUIRE(sent.size() == 3);
	CHECK(values_of(sent[0], "OBJECT_PID").empty());
	CHECK(value_of(sent[0], "OBJECT_SYSTEMD_UNIT") == "nginx.service");
	CHECK(value_of(sent[2], "OBJECT_PID") == "1");
}

} // namespace stalesock::test
