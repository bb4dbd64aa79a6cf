// SPDX-License-Identifier: Apache-2.0
// Stories as the engine's verdicts and the events behind them make them.
#include "story/story.hpp"

#include "story/layout.hpp"
#include "support/catch.hpp"
#include "support/socket_model.hpp"
#include "verdict/engine.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace stalesock::test {

namespace {

using Lines = std::vector<std::string>;

constexpr Nanoseconds start = seconds(1000);

/// Engine and history, as `watch --explain` has them.
class Witness {
  public:
	void apply(const Event& event) {
		history.note(event);
		engine.apply(event, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}
	void finish(Nanoseconds now) {
		engine.finish(now, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}
	[[nodiscard]] const Verdict& verdict(VerdictKind kind) const {
		for (const Verdict& candidate : verdicts) {
			if (candidate.kind == kind) {
				return candidate;
			}
		}
		throw std::runtime_error("no such verdict");
	}

	Engine engine{{100, tick}};
	History history;
	std::vector<Verdict> verdicts;
};

/// "-> +498.00 ms client wrote 163 B": arrows, "." for local steps, "|" for silences; "~" inferred, "!" the
/// subject.
std::string line_of(const Step& step) {
	const char* const arrows[] = {"->", "<-", ".", "|", ":"};
	const std::string time = step.at ? offset_text(*step.at) : "?";
	const bool silence = step.kind == StepKind::idle || step.kind == StepKind::wait;
	return fmt::format("{}{} {}{}{}", arrows[static_cast<int>(step.kind)], step.subject ? "!" : "",
	                   step.inferred && !silence ? "~" : "", silence ? "" : time + " ", step.text);
}

Lines lines_of(const Story& story) {
	Lines lines;
	for (const Step& step : story.steps) {
		lines.push_back(line_of(step));
	}
	return lines;
}

/// nginx's classic: idle for two seconds, FIN, reuse 498 ms later, RST.
void reuse_stale_connection(Witness& witness) {
	SocketModel socket;
	witness.apply(socket.open(start));
	socket.turn(start + milliseconds(1), 100, 500);
	witness.apply(socket.peer_fin(start + milliseconds(2003)));
	witness.apply(socket.late_write(start + milliseconds(2501), 163));
	witness.apply(socket.reset(start + microseconds(2'501'030)));
}

} // namespace

TEST_CASE("a stale reuse, from its events", "[story]") {
	Witness witness;
	reuse_stale_connection(witness);
	const Story story = tell(witness.verdict(VerdictKind::stale_reuse), witness.history.find(7));
	CHECK(lines_of(story) == Lines{
								 "-> -2.003 s connects",
								 "-> ~-2.002 s last send; 100 B in all",
								 "<- ~-2.002 s last receive; 500 B in all",
								 "| idle for 2.00 s",
								 "<- 0 FIN",
								 ": 498 ms; the application does not read the end of file",
								 "->! +498.00 ms client wrote 163 B",
								 "<- +498.03 ms RST 0.03 ms later",
							 });
	CHECK(story.origin == "the peer's FIN");
	CHECK(story.verdict == "stale_reuse");
	CHECK(story.severity == Severity::error);
	CHECK(story.confidence == "certain");
	CHECK(story.owner == "client (pid 812)");
	CHECK(story.message.find("wrote 163 B") != std::string::npos);
	CHECK_FALSE(story.advice.empty());
	CHECK(story.learned.empty());
}

TEST_CASE("the same from the evidence alone says what it cannot know", "[story]") {
	Witness witness;
	reuse_stale_connection(witness);
	const Story story = tell(witness.verdict(VerdictKind::stale_reuse), nullptr);
	CHECK(lines_of(story) == Lines{
								 "-> -2.003 s connects",
								 "-> ~-2.002 s last send; 100 B in all",
								 "<- ~-2.002 s last receive; 500 B in all",
								 "| idle for 2.00 s",
								 "<- ~0 FIN",
								 ": 498 ms; the application does not read the end of file",
								 "->! +498.00 ms client wrote 163 B",
								 "<- ~? RST",
							 });
}

TEST_CASE("what is not in the evidence is not told", "[story]") {
	Verdict verdict;
	verdict.kind = VerdictKind::stale_reuse;
	verdict.time = start;
	verdict.evidence.bytes_after_fin = 60;
	const Story story = tell(verdict, nullptr);
	CHECK(lines_of(story) == Lines{"<- ~? FIN", "->! ~0 by now somebody had written 60 B"});
	CHECK(story.owner.empty());
	CHECK(story.origin == "the write");
}

TEST_CASE("an end of file that was read: when, or only that", "[story]") {
	Witness witness;
	SocketModel socket;
	witness.apply(socket.open(start));
	socket.turn(start, 100, 500);
	witness.apply(socket.peer_fin(start + seconds(1)));
	witness.apply(socket.eof_read(start + milliseconds(1050)));
	Event write = socket.late_write(start + milliseconds(1060), 163);
	write.eof_read = true;
	witness.apply(write);
	witness.finish(start + seconds(2));
	const Verdict& verdict = witness.verdict(VerdictKind::stale_reuse);
	const Lines seen = lines_of(tell(verdict, witness.history.find(7)));
	CHECK(std::find(seen.begin(), seen.end(),
	                ". +50.00 ms the application reads the end of file") != seen.end());
	const Lines guessed = lines_of(tell(verdict, nullptr));
	REQUIRE(guessed.size() > 2);
	CHECK(guessed[guessed.size() - 2] == ". ~? the end of file is read");
	CHECK(guessed.back() == "->! +60.00 ms client wrote 163 B");
}

TEST_CASE("an idle close is about the FIN", "[story]") {
	Witness witness;
	reuse_stale_connection(witness);
	const Verdict& verdict = witness.verdict(VerdictKind::idle_close);
	Lines lines = lines_of(tell(verdict, nullptr));
	REQUIRE_FALSE(lines.empty());
	CHECK(lines.back() == "<-! 0 FIN");
	// What came later belongs to the story too.
	lines = lines_of(tell(verdict, witness.history.find(7)));
	CHECK(std::find(lines.begin(), lines.end(), "<-! 0 FIN") != lines.end());
	CHECK(lines.back() == "<- +498.03 ms RST");
}

TEST_CASE("a race is about the last send, and its silence is before it", "[story]") {
	Witness witness;
	SocketModel socket;
	witness.apply(socket.open(start));
	socket.turn(start, 100, 500);
	socket.send(start + milliseconds(1984), 27);
	witness.apply(socket.peer_fin(start + milliseconds(2000)));
	const Lines lines =
		lines_of(tell(witness.verdict(VerdictKind::reuse_race), witness.history.find(7)));
	REQUIRE(lines.size() >= 4);
	CHECK(lines[lines.size() - 3] == "| idle for 1.98 s");
	CHECK(lines[lines.size() - 2] == "->! ~-16.00 ms 27 B, which the peer never saw");
	CHECK(lines.back() == "<- 0 FIN; 27 B of ours not acknowledged");
}

TEST_CASE("every kind of verdict has exactly one subject, whatever is known", "[story]") {
	for (std::size_t i = 0; i < verdict_kind_count; i++) {
		Verdict verdict;
		verdict.kind = static_cast<VerdictKind>(i);
		verdict.time = start;
		CAPTURE(to_string(verdict.kind));
		const auto subjects = [&verdict] {
			const Story story = tell(verdict, nullptr);
			return std::count_if(story.steps.begin(), story.steps.end(),
			                     [](const Step& step) { return step.subject; });
		};
		CHECK(subjects() == 1);
		verdict.evidence.idle = verdict.evidence.receive_age = seconds(2);
		verdict.evidence.bytes_sent = verdict.evidence.bytes_received = 100;
		CHECK(subjects() == 1);
		verdict.evidence.rst_received = true;
		CHECK(subjects() == 1);
		verdict.evidence.bytes_after_fin = 60;
		CHECK(subjects() == 1);
	}
}

TEST_CASE("a leak: the FIN is where it was, the verdict is now", "[story]") {
	Verdict verdict;
	verdict.kind = VerdictKind::close_wait_leak;
	verdict.time = start;
	verdict.evidence.close_wait = seconds(61);
	verdict.evidence.eof_read = false;
	verdict.evidence.unread_bytes = 12;
	CHECK(lines_of(tell(verdict, nullptr)) ==
	      Lines{"<- ~0 FIN", ": 61.00 s",
	            ".! +61.000 s still not closed, 12 B unread, end of file "
	            "not read"});
}

TEST_CASE("a connection that the path forgot: the request, and that nothing came", "[story]") {
	Verdict verdict;
	verdict.kind = VerdictKind::silent_drop;
	verdict.time = start;
	verdict.evidence.idle = seconds(3);
	verdict.evidence.receive_age = seconds(363);
	verdict.evidence.gap = seconds(360);
	verdict.evidence.bytes_sent = verdict.evidence.bytes_received = 100;
	verdict.evidence.retransmits = 4;
	CHECK(lines_of(tell(verdict, nullptr)) ==
	      Lines{"<- ~-363.000 s last receive; 100 B in all", "| idle for 360 s",
	            "->! ~-3.000 s last send; 100 B in all", "| idle for 3.00 s",
	            ". 0 no answer so far; 4 sent again"});
}

TEST_CASE("text from outside is safe to print", "[story]") {
	Verdict verdict;
	verdict.id = "\x1b[31m";
	verdict.owner = {OwnerSource::write, 812, "\x1b]0;x\a", "\x1bunit"};
	verdict.message = "\x1b[2J";
	verdict.advice = "\n";
	verdict.inferred = "\r";
	verdict.evidence.bytes_after_fin = 1;
	verdict.evidence.fin_to_write = seconds(1);
	verdict.evidence.late_head = "\x1b";
	const Story story = tell(verdict, nullptr);
	std::string all = story.id + story.owner + story.message + story.advice + story.confidence;
	for (const Step& step : story.steps) {
		all += step.text;
	}
	CHECK(std::none_of(all.begin(), all.end(),
	                   [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
}

} // namespace stalesock::test
