// SPDX-License-Identifier: Apache-2.0
#include "app/player.hpp"

#include "sinks/json.hpp"
#include "support/catch.hpp"
#include "support/dice.hpp"
#include "support/environment.hpp"
#include "support/golden.hpp"
#include "support/raw_record.hpp"
#include "support/recording.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace stalesock::test {

namespace {

using Lines = std::vector<std::string>;

const Player::Options with_events{1000, {}, true};

class LineSink final : public Sink {
  public:
	void verdict(const Verdict& verdict, WallTime time) override {
		lines.push_back(json_line(verdict, time));
	}
	void collapsed(const Collapsed& collapsed, WallTime time) override {
		lines.push_back(json_line(collapsed, time));
	}
	void event(const Event& event, WallTime time) override {
		lines.push_back(json_line(event, time));
	}
	void note(const Note& note, WallTime time) override { lines.push_back(json_line(note, time)); }
	int flush() override { return 0; }

	Lines lines;
};

struct Played {
	Lines lines;
	ProbeCounters probe;
	PipelineCounters pipeline;
	Nanoseconds duration{};
	std::optional<Damage> damage;
};

Played play(const Bytes& bytes, const Player::Options& options = {}) {
	RecordingReader reader(input_of(bytes, 4096));
	REQUIRE_FALSE(reader.damage().has_value());
	LineSink sink;
	Player player(reader.header(), options, sink);
	while (const Block* block = reader.next()) {
		player.play(*block);
	}
	player.finish();
	return {sink.lines, player.probe_counters(), player.counters(), player.duration(),
	        reader.damage()};
}

Played play(Tape& tape, const Player::Options& options = {}) {
	tape.writer.flush(recorded_at);
	return play(tape.bytes, options);
}

/// A stale reuse whose RST is not seen, so that time has to tell that it is over.
Bytes stale_reuse(bool with_end = true) {
	Tape tape;
	SocketModel socket;
	socket.observe();
	tape.writer.record(raw_record(socket.open(recorded_at + milliseconds(10))));
	socket.turn(recorded_at + milliseconds(11), 100, 500);
	tape.writer.inventory(recorded_at + milliseconds(20), {"one namespace was closed"});
	tape.writer.record(raw_record(socket.peer_fin(recorded_at + milliseconds(2011))));
	tape.writer.record(raw_record(socket.late_write(recorded_at + milliseconds(2509), 163)));
	tape.writer.flush(recorded_at + seconds(3));
	tape.writer.losses(recorded_at + seconds(3), {1, 2});
	if (with_end) {
		tape.writer.end(recorded_at + seconds(4), {3, 1, 2, 7, 8});
	}
	return tape.bytes;
}

Bytes file_content(const std::filesystem::path& path) {
	std::ifstream file(path, std::ios::binary);
	const std::string text{std::istreambuf_iterator<char>{file}, {}};
	const ByteView bytes = std::as_bytes(std::span(text));
	return {bytes.begin(), bytes.end()};
}

/// How many lines have this text.
std::ptrdiff_t count(const Lines& lines, const std::string& text) {
	return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
		return line.find(text) != std::string::npos;
	});
}

} // namespace

TEST_CASE("a recording says what the watch would have said", "[app][golden]") {
	const Played played = play(stale_reuse(), with_events);
	check_golden("recordings/model.jsonl", played.lines);
	CHECK_FALSE(played.damage.has_value());
	CHECK(played.duration == seconds(4));
	CHECK(played.probe.events == 3);
	CHECK(played.probe.dropped == 1);
	CHECK(played.probe.missed == 2);
	CHECK(played.probe.malformed == 7);
	CHECK(played.probe.mptcp_skipped == 8);
}

TEST_CASE("the first line says what could be seen when it was recorded, wanted verdicts or not",
          "[app]") {
	Player::Options options;
	options.filter.min_severity = Severity::error;
	for (const auto& wanted : {options, with_events, Player::Options{}}) {
		const Lines lines = play(stale_reuse(), wanted).lines;
		REQUIRE_FALSE(lines.empty());
		CHECK(count({lines.front()}, R"("record":"start")") == 1);
		CHECK(count({lines.front()}, R"("hook_class":)") == 1);
		CHECK(count({lines.front()}, R"("gaps":)") == 1);
		CHECK(count(lines, R"("record":"start")") == 1);
		// What could not be looked at is a gap too.
		CHECK(count(lines, R"("gaps":["one namespace was closed"])") == 1);
	}
}

TEST_CASE("the same recording says the same, in any time zone", "[app]") {
	const Bytes bytes = stale_reuse();
	const Lines here = play(bytes, with_events).lines;
	for (const char* zone : {"UTC", "Pacific/Chatham", "America/St_Johns"}) {
		const EnvironmentVariable variable("TZ", zone);
		CHECK(play(bytes, with_events).lines == here);
	}
}

TEST_CASE("what waits at the end is settled, cut off or not", "[app]") {
	const Played whole = play(stale_reuse());
	const Played cut = play(stale_reuse(false));
	CHECK(count(whole.lines, R"("verdict":"stale_reuse")") == 1);
	CHECK(whole.lines == cut.lines);
	CHECK(cut.damage.has_value());
	CHECK(cut.duration == seconds(3));
}

TEST_CASE("silence within a recording is evidence", "[app]") {
	Tape tape;
	SocketModel socket;
	tape.writer.record(raw_record(socket.open(recorded_at)));
	socket.turn(recorded_at + milliseconds(1), 100, 500);
	tape.writer.record(raw_record(socket.peer_fin(recorded_at + seconds(1))));
	tape.writer.record(raw_record(socket.late_write(recorded_at + seconds(2), 163)));
	tape.writer.record(raw_record(socket.read_after_late_write(recorded_at + seconds(2))));
	tape.writer.flush(recorded_at + milliseconds(2500));
	RecordingReader reader(input_of(tape.bytes));
	LineSink sink;
	Player player(reader.header(), {}, sink);
	player.play(*reader.next());
	CHECK(count(sink.lines, R"("verdict":"stale_reuse")") == 1); // before finish()
}

TEST_CASE("a leap of a century does not take a century", "[app]") {
	Tape tape;
	SocketModel socket;
	for (int i = 0; i < 3; i++) {
		tape.writer.record(
			raw_record(socket.inventory(recorded_at + i * std::chrono::years(30), seconds(0))));
	}
	CHECK(play(tape).probe.events == 3);
}

TEST_CASE("records that decode refuses and times that cannot be are counted", "[app]") {
	Tape tape;
	SocketModel socket;
	Bytes record = raw_record(socket.open(recorded_at));
	record.pop_back();
	tape.writer.record(record);
	tape.writer.record(raw_record(socket.open(Nanoseconds::min())));
	tape.writer.record(raw_record(socket.open(Nanoseconds::max())));
	Event fin = socket.peer_fin(recorded_at);
	fin.view->clock_us = std::uint64_t{1} << 60U;
	tape.writer.record(raw_record(fin));
	tape.writer.record(raw_record(socket.open(recorded_at)));
	const Played played = play(tape, with_events);
	CHECK(played.probe.malformed == 4);
	CHECK(played.probe.events == 1);
	CHECK(count(played.lines, R"("event":"open")") == 1);
}

TEST_CASE("filters of a replay are those of the watch", "[app]") {
	Player::Options options;
	options.filter.min_severity = Severity::error;
	const Played played = play(stale_reuse(), options);
	CHECK(count(played.lines, R"("verdict")") == 1);
	CHECK(played.pipeline.filtered >= 1);
}

TEST_CASE("no process of today is asked about one of then", "[app]") {
	Tape tape;
	SocketModel socket;
	Event open = socket.open(recorded_at);
	open.actor = Actor{getpid(), "client"};
	tape.writer.record(raw_record(open));
	socket.turn(recorded_at, 100, 500);
	tape.writer.record(raw_record(socket.peer_fin(recorded_at + seconds(1))));
	const Played played = play(tape);
	REQUIRE(count(played.lines, R"("verdict")") == 1);
	CHECK(count(played.lines, R"("unit")") == 0);
}

TEST_CASE("an anonymized recording says the same about others", "[app]") {
	Tape tape(sample_header(), Anonymizer());
	RecordingReader reader(input_of(stale_reuse()));
	while (const Block* block = reader.next()) {
		if (const auto* records = std::get_if<Records>(&block->content)) {
			for (const ByteView record : *records) {
				tape.writer.record(record);
			}
		}
	}
	const Lines lines = play(tape, with_events).lines;
	CHECK(count(lines, R"("verdict":"idle_close")") == 1);
	CHECK(count(lines, R"("verdict":"stale_reuse")") == 1);
	CHECK(count(lines, "10.0.0.7") == 0);
	CHECK(count(lines, R"("client")") == 0);
	CHECK(count(lines, R"("local":"127.)") > 0);
}

// Checksums tell damage, not malice: whoever makes a recording makes them, too.
TEST_CASE("whatever a record says, a replay says something that can be read", "[app]") {
	const char* const name = GENERATE("stale_reuse", "reuse_race", "farewell", "dirty_close");
	const unsigned seed = GENERATE(range(0U, 40U));
	CAPTURE(name, seed);
	const Bytes whole = file_content(std::string(STALESOCK_TEST_FILES) + "/golden/recordings/" +
	                                 name + ".stalesock");
	constexpr std::array<unsigned char, 6> edges{0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
	Dice dice(seed);
	Tape tape(RecordingReader(input_of(whole)).header());
	std::size_t records = 0;
	for (Bytes& record : content_of(whole).records) {
		for (std::size_t change = dice.below(4); change > 0; change--) {
			const std::size_t place = dice.below(record.size());
			const std::size_t most = std::min<std::size_t>(8, record.size() - place);
			const std::byte value{edges[dice.below(edges.size())]};
			std::fill_n(record.begin() + static_cast<std::ptrdiff_t>(place), 1 + dice.below(most),
			            value);
		}
		tape.writer.record(record);
		records++;
	}
	const Played played = play(tape, with_events);
	CHECK(played.probe.events + played.probe.malformed == records);
	for (const std::string& line : played.lines) {
		CHECK(nlohmann::json::accept(line));
	}
}

// See tests/golden/README.md.
TEST_CASE("the recordings of classic cases say what they always said", "[app][golden]") {
	const std::filesystem::path folder = std::string(STALESOCK_TEST_FILES) + "/golden/recordings";
	int files = 0;
	for (const auto& entry : std::filesystem::directory_iterator(folder)) {
		if (entry.path().extension() == ".stalesock") {
			files++;
			INFO(entry.path());
			const Played played = play(file_content(entry.path()), with_events);
			CHECK_FALSE(played.damage.has_value());
			check_golden("recordings/" + entry.path().stem().string() + ".jsonl", played.lines);
		}
	}
	CHECK(files == 4);
}

} // namespace stalesock::test
