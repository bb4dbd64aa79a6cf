// SPDX-License-Identifier: Apache-2.0
#include "sinks/queued_sink.hpp"

#include "sinks/samples.hpp"
#include "support/catch.hpp"

namespace stalesock::test {

namespace {

/// Its reader can go away.
class SampleSink final : public QueuedSink {
  public:
	explicit SampleSink(std::size_t limit) : QueuedSink("sample", limit) {}

	std::string absence; ///< why nothing is taken
	std::vector<std::string> taken;
	std::vector<bool> late;

  protected:
	[[nodiscard]] Item format(const Verdict& verdict, WallTime /*time*/) const override {
		return {verdict.id};
	}
	[[nodiscard]] Item format(const Collapsed& collapsed, WallTime /*time*/) const override {
		return {collapsed.last_id};
	}
	[[nodiscard]] Item format(const Note& /*note*/, WallTime /*time*/) const override {
		return {"note"};
	}
	[[nodiscard]] std::string deliver(const Item& item, bool was_late) override {
		if (absence.empty()) {
			taken.push_back(item.front());
			late.push_back(was_late);
		}
		return absence;
	}
};

void give(Sink& sink, const std::string& id) {
	Verdict verdict = minimal_verdict();
	verdict.id = id;
	sink.verdict(verdict, {});
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("a reader that is there gets everything in order and hears of no gap", "[sinks]") {
	SampleSink sink(100);
	give(sink, "one");
	sink.note(Lost{}, {});
	CHECK(sink.waiting() == 2);
	CHECK(sink.flush() == 0);
	CHECK(sink.taken == Lines{"one", "note"});
	CHECK(sink.late == std::vector<bool>{false, false});
	CHECK_FALSE(sink.take_gap().has_value());
}

TEST_CASE("what waited for an absent reader comes late, in order, and is counted", "[sinks]") {
	SampleSink sink(100);
	sink.absence = "away";
	give(sink, "one");
	give(sink, "two");
	CHECK(sink.flush() == 0);
	CHECK(sink.problem() == "away");
	CHECK_FALSE(sink.take_gap().has_value());

	sink.absence.clear();
	CHECK(sink.flush() == 0);
	CHECK(sink.problem().empty());
	CHECK(sink.taken == Lines{"one", "two"});
	CHECK(sink.late == std::vector<bool>{true, true});
	const auto gap = sink.take_gap();
	REQUIRE(gap.has_value());
	CHECK(gap->output == "sample");
	CHECK(gap->problem == "away");
	CHECK(gap->delayed == 2);
	CHECK(gap->discarded == 0);
	CHECK_FALSE(sink.take_gap().has_value());

	give(sink, "three");
	sink.flush();
	CHECK_FALSE(sink.late.back());
	CHECK_FALSE(sink.take_gap().has_value());
}

TEST_CASE("a queue holds exactly its limit, and what finds no room is counted", "[sinks]") {
	SampleSink sink(6);
	sink.absence = "away";
	give(sink, "one");
	give(sink, "two"); // 6 bytes: the limit
	give(sink, "x");
	CHECK(sink.waiting() == 2);
	CHECK(sink.discarded() == 1);

	sink.absence.clear();
	sink.flush();
	CHECK(sink.taken == Lines{"one", "two"});
	CHECK(sink.take_gap().value().discarded == 1);
}

TEST_CASE("a burst beyond the limit loses nothing while the reader is there", "[sinks]") {
	SampleSink sink(6);
	for (const char* id : {"one", "two", "three", "four"}) {
		give(sink, id);
	}
	sink.flush();
	CHECK(sink.taken == Lines{"one", "two", "three", "four"});
	CHECK_FALSE(sink.take_gap().has_value());
}

TEST_CASE("a record longer than the limit is delivered when nothing else waits", "[sinks]") {
	SampleSink sink(6);
	give(sink, "much too long");
	sink.flush();
	CHECK(sink.taken == Lines{"much too long"});
}

} // namespace stalesock::test
