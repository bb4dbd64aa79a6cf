// SPDX-License-Identifier: Apache-2.0
#include "sinks/json.hpp"

#include "sinks/samples.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stalesock::test {

namespace {

using Lines = std::vector<std::string>;

nlohmann::json parsed(const std::string& line) {
	return nlohmann::json::parse(line);
}

std::string json_of(const Verdict& verdict) {
	return json_line(verdict, sample_time);
}

std::string json_of(const Event& event) {
	return json_line(event, sample_time);
}

Verdict verdict_between(std::string_view local, std::string_view remote, bool ipv6) {
	Verdict verdict = minimal_verdict();
	verdict.connection.ipv6 = ipv6;
	verdict.connection.local = endpoint(local);
	verdict.connection.remote = endpoint(remote);
	return verdict;
}

Event event_of_kind(EventKind kind) {
	Event event = minimal_event();
	event.kind = kind;
	return event;
}

/// One of each kind that says more than a state; with a view where the kernel sends one.
Lines events() {
	Event open = event_of_kind(EventKind::open);
	open.old_state = TcpState::close;
	open.new_state = TcpState::syn_sent;
	open.local.address = endpoint("10.0.0.1:1").address; // no port is chosen yet
	open.remote = endpoint("10.0.0.7:8080");
	open.actor = Actor{812, "nginx"};
	Event fin = event_of_kind(EventKind::peer_fin);
	fin.old_state = TcpState::established;
	fin.new_state = TcpState::close_wait;
	fin.view = SocketView{};
	Event peek = event_of_kind(EventKind::eof_read);
	peek.peek = true;
	Event late = event_of_kind(EventKind::late_write);
	late.view = SocketView{};
	late.late = LateWrite{};
	Event end = event_of_kind(EventKind::end);
	end.error = 104;
	end.view = SocketView{};
	return {json_of(full_event()), json_of(minimal_event()),
	        json_of(open),         json_of(fin),
	        json_of(peek),         json_of(late),
	        json_of(end)};
}

bool is_plain_ascii(const std::string& line) {
	return std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

} // namespace

TEST_CASE("JSON of verdicts", "[sinks][golden]") {
	check_golden("verdicts.jsonl",
	             {json_of(full_verdict()), json_of(minimal_verdict()),
	              json_of(verdict_between("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.7]:65535", false)),
	              json_of(verdict_between("[2001:db8::1]:41230", "[::1]:80", true))});
}

TEST_CASE("JSON of events", "[sinks][golden]") {
	check_golden("events.jsonl", events());
}

TEST_CASE("JSON of sums", "[sinks][golden]") {
	Collapsed unknown = full_sum();
	unknown.owner = {};
	unknown.remote = {};
	Collapsed several = full_sum();
	several.owner = {};
	several.owner.command = "nginx";
	check_golden("sums.jsonl",
	             {json_line(full_sum(), sample_time), json_line(minimal_sum(), sample_time),
	              json_line(unknown, sample_time), json_line(several, sample_time)});
}

TEST_CASE("JSON of records", "[sinks][golden]") {
	const Note notes[] = {
		Started{"0.1.0", "6.18.44", "tracepoint", {}},
		Started{"0.1.0",
	            "6.1.0-56-cloud-arm64",
	            "none",
	            {"keepalive probes are not counted", "second"}},
		Inventoried{12, {}},
		Inventoried{0, {"one network namespace could not be entered"}},
		Lost{3, 4, 5},
		Resumed{std::chrono::milliseconds(1234), true, 7, 1, 0, 0, 0},
		Resumed{std::chrono::microseconds(2'000'049), false, 0, {}, 2, 3, 4},
		Reloaded{{}, {}},
		Reloaded{{}, {"probe.ring_size", "connections.max"}},
		Reloaded{"/etc/stalesock/stalesock.toml:3: journal.queue: \"1\" is not a size", {}},
		OutputGap{"journal", "journald is not there: No such file or directory", 12, 3},
		OutputGap{"/var/log/stalesock/verdicts.jsonl", "", 0, 1},
	};
	Lines lines;
	for (const Note& note : notes) {
		lines.push_back(json_line(note, sample_time));
	}
	check_golden("records.jsonl", lines);
}

TEST_CASE("JSON of hostile text", "[sinks][golden]") {
	Verdict verdict = minimal_verdict();
	verdict.owner = {OwnerSource::scan, 1, hostile_command(), hostile_command()};
	verdict.owner.container = verdict.owner.container_runtime = verdict.owner.pod =
		hostile_command();
	verdict.message = hostile_command();
	verdict.advice = hostile_command();
	Event event = minimal_event();
	event.actor = Actor{1, hostile_command()};
	const Lines lines{json_of(verdict), json_of(event),
	                  json_line(Inventoried{0, {hostile_command()}}, sample_time)};
	for (const std::string& line : lines) {
		CHECK(is_plain_ascii(line));
	}
	CHECK(parsed(lines[0])["owner"]["command"] == "\x1b[31m\n\x7f\u009b\u202e\ufffd\ufffd\ufffdx");
	check_golden("hostile.jsonl", lines);
}

TEST_CASE("what is unknown is absent from JSON, what is zero is there", "[sinks]") {
	const auto unknown = parsed(json_of(minimal_verdict()));
	CHECK(unknown["evidence"].is_object());
	CHECK(unknown["evidence"].empty());
	CHECK(unknown["connection"].size() == 2);
	CHECK(unknown["owner"] == nlohmann::json{{"source", "unknown"}});
	for (const char* name : {"inferred", "advice", "peer"}) {
		CHECK_FALSE(unknown.contains(name));
	}

	Verdict verdict = minimal_verdict();
	verdict.evidence.unread_bytes = 0;
	verdict.evidence.eof_read = false;
	verdict.evidence.idle = Nanoseconds{0};
	const auto evidence = parsed(json_of(verdict))["evidence"];
	CHECK(evidence["unread_bytes"] == 0);
	CHECK(evidence["eof_read"] == false);
	CHECK(evidence["idle_ms"] == 0.0);
	CHECK(evidence.size() == 3);
}

TEST_CASE("counters beyond 32 bits keep every digit in JSON", "[sinks]") {
	Verdict verdict = minimal_verdict();
	verdict.connection.cookie = 18'446'744'073'709'551'615U;
	verdict.evidence.bytes_sent = 9'007'199'254'740'993;
	const std::string line = json_of(verdict);
	CHECK(line.find("\"cookie\":18446744073709551615,") != std::string::npos);
	CHECK(line.find("\"bytes_sent\":9007199254740993}") != std::string::npos);
}

TEST_CASE("the length of a TLS record and the writer are only told where there is one", "[sinks]") {
	Event event = full_event();
	event.late->head = PayloadHead::tls_alert;
	CHECK_FALSE(parsed(json_of(event))["late_write"].contains("record_length"));
	event.late->writer.reset();
	CHECK_FALSE(parsed(json_of(event))["late_write"].contains("writer"));
}

TEST_CASE("the time of a late write is only told when both ends of it are known", "[sinks]") {
	Event event = full_event();
	REQUIRE(parsed(json_of(event))["late_write"].contains("fin_to_write_ms"));
	SECTION("the write was not seen") {
		event.late->time_known = false;
	}
	SECTION("the FIN was not seen") {
		event.late->fin_time.reset();
	}
	CHECK_FALSE(parsed(json_of(event))["late_write"].contains("fin_to_write_ms"));
}

} // namespace stalesock::test
