// SPDX-License-Identifier: Apache-2.0
#include "app/pipeline.hpp"

#include "support/catch.hpp"
#include "support/socket_model.hpp"

namespace stalesock::test {

namespace {

constexpr Nanoseconds start = seconds(1000);
constexpr WallTime wall_at_start{seconds(1'795'315'200)};

/// Keeps what it is given.
class FakeSink final : public Sink {
  public:
	void verdict(const Verdict& verdict, WallTime time) override {
		verdicts.push_back(verdict);
		times.push_back(time);
	}
	void collapsed(const Collapsed& collapsed, WallTime /*time*/) override {
		sums.push_back(collapsed);
	}
	void event(const Event& event, WallTime time) override {
		events.push_back(event.kind);
		event_times.push_back(time);
	}
	int flush() override { return 0; }

	std::vector<Verdict> verdicts;
	std::vector<Collapsed> sums;
	std::vector<WallTime> times;
	std::vector<EventKind> events;
	std::vector<WallTime> event_times;
};

/// Stands for /proc; counts how often it is asked.
class FakeUnits {
  public:
	void operator()(Owner& owner, Nanoseconds seen, Nanoseconds /*now*/) {
		asked.push_back(owner.pid.value());
		sightings.push_back(seen);
		owner.unit = unit;
		owner.command_line = command_line;
	}
	std::optional<std::string> unit = "client.service";
	std::string command_line;
	std::vector<Nanoseconds> sightings;
	std::vector<std::int32_t> asked;
};

class Bench {
  public:
	explicit Bench(const VerdictFilter& filter = {}, bool events = false)
		: pipeline({{100, tick}, filter, events, std::ref(units)}, sink) {
		pipeline.set_now({start, wall_at_start});
	}

	/// An idle close (info) of pid 812, then its stale reuse (error).
	void reuse_stale_connection() {
		SocketModel socket;
		pipeline.apply(socket.open(start));
		socket.turn(start + milliseconds(1), 100, 500);
		pipeline.apply(socket.peer_fin(start + milliseconds(2001)));
		pipeline.apply(socket.late_write(start + milliseconds(2499), 163));
		pipeline.apply(socket.reset(start + milliseconds(2500)));
	}

	[[nodiscard]] std::vector<std::string> kinds() const {
		std::vector<std::string> names;
		for (const Verdict& verdict : sink.verdicts) {
			names.emplace_back(to_string(verdict.kind));
		}
		return names;
	}
	[[nodiscard]] std::uint64_t counted(VerdictKind kind) const {
		return pipeline.counters().verdicts.at(static_cast<std::size_t>(kind));
	}

	FakeSink sink;
	FakeUnits units;
	Pipeline pipeline;
};

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("verdicts reach the sink with their unit, and are counted by kind", "[app]") {
	Bench bench;
	bench.reuse_stale_connection();
	CHECK(bench.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(bench.sink.verdicts.at(1).owner.pid == 812);
	CHECK(bench.sink.verdicts.at(1).owner.unit == "client.service");
	CHECK(bench.counted(VerdictKind::idle_close) == 1);
	CHECK(bench.counted(VerdictKind::stale_reuse) == 1);
	CHECK(bench.counted(VerdictKind::reuse_race) == 0);
	CHECK(bench.pipeline.counters().filtered == 0);
	CHECK(bench.pipeline.engine_counters().opened == 1);
	CHECK(bench.sink.events.empty());
}

TEST_CASE("wall times are those of the fact, not of now", "[app]") {
	Bench bench({}, true);
	bench.pipeline.set_now({start + seconds(10), wall_at_start + seconds(10)});
	bench.reuse_stale_connection();
	REQUIRE(bench.sink.times.size() == 2);
	CHECK(bench.sink.times[0] == wall_at_start + milliseconds(2001));
	CHECK(bench.sink.times[1] == wall_at_start + milliseconds(2499));
	CHECK(bench.sink.event_times.at(0) == wall_at_start);
}

TEST_CASE("what is filtered out is counted, and its unit is not looked up", "[app]") {
	VerdictFilter filter;
	SECTION("by severity") {
		filter.min_severity = Severity::error;
		Bench bench(filter);
		bench.reuse_stale_connection();
		CHECK(bench.kinds() == Names{"stale_reuse"});
		CHECK(bench.pipeline.counters().filtered == 1);
		CHECK(bench.counted(VerdictKind::idle_close) == 0);
		CHECK(bench.units.asked == std::vector<std::int32_t>{812});
	}
	SECTION("by process") {
		filter.pid = 1;
		Bench bench(filter);
		bench.reuse_stale_connection();
		CHECK(bench.kinds().empty());
		CHECK(bench.pipeline.counters().filtered == 2);
		CHECK(bench.units.asked.empty());
	}
}

TEST_CASE("by unit: decided after the look-up", "[app]") {
	VerdictFilter filter;
	filter.unit = "client.service";
	Bench bench(filter);
	SECTION("the same") {
		bench.reuse_stale_connection();
		CHECK(bench.kinds() == Names{"idle_close", "stale_reuse"});
	}
	SECTION("another") {
		bench.units.unit = "other.service";
		bench.reuse_stale_connection();
		CHECK(bench.kinds().empty());
		CHECK(bench.pipeline.counters().filtered == 2);
		CHECK(bench.counted(VerdictKind::stale_reuse) == 0);
	}
	SECTION("none") {
		bench.units.unit.reset();
		bench.reuse_stale_connection();
		CHECK(bench.pipeline.counters().filtered == 2);
	}
}

TEST_CASE("the unit of an unknown owner is not looked up", "[app]") {
	Bench bench;
	SocketModel socket(Role::active);
	Event open = socket.open(start);
	open.actor.reset();
	bench.pipeline.apply(open);
	socket.turn(start, 100, 500);
	bench.pipeline.apply(socket.peer_fin(start + seconds(1)));
	REQUIRE(bench.kinds() == Names{"idle_close"});
	CHECK_FALSE(bench.sink.verdicts[0].owner.unit.has_value());
	CHECK(bench.units.asked.empty());
}

TEST_CASE("an owner was seen at the connect, or when it wrote", "[app]") {
	Bench bench;
	bench.reuse_stale_connection();
	CHECK(bench.units.sightings == std::vector<Nanoseconds>{start, start + milliseconds(2499)});
}

TEST_CASE("advice follows the command line where the command says nothing", "[app]") {
	Bench bench;
	bench.units.command_line = "/usr/bin/python3 -m app";
	bench.reuse_stale_connection();
	REQUIRE(bench.kinds() == Names{"idle_close", "stale_reuse"});
	CHECK(bench.sink.verdicts[0].advice.empty());
	CHECK(bench.sink.verdicts[1].advice.find("aiohttp") != std::string::npos);
}

TEST_CASE("without a look-up the unit stays unknown", "[app]") {
	FakeSink sink;
	Pipeline pipeline({{100, tick}, {}, false, {}}, sink);
	pipeline.set_now({start, wall_at_start});
	SocketModel socket;
	pipeline.apply(socket.open(start));
	socket.turn(start, 100, 500);
	pipeline.apply(socket.peer_fin(start + seconds(1)));
	REQUIRE(sink.verdicts.size() == 1);
	CHECK_FALSE(sink.verdicts[0].owner.unit.has_value());
}

TEST_CASE("events are passed on when wanted, in order, filtered by endpoint", "[app]") {
	using Kinds = std::vector<EventKind>;
	VerdictFilter filter;
	SECTION("all") {
		Bench bench(filter, true);
		bench.reuse_stale_connection();
		CHECK(bench.sink.events ==
		      Kinds{EventKind::open, EventKind::peer_fin, EventKind::late_write, EventKind::end});
	}
	SECTION("of another remote endpoint: still judged") {
		filter.remote = parse_endpoint("10.0.0.8:8080").value();
		Bench bench(filter, true);
		bench.reuse_stale_connection();
		CHECK(bench.sink.events.empty());
		CHECK(bench.pipeline.counters().filtered == 2);
	}
}

TEST_CASE("sockets that existed before are counted, shown or not", "[app]") {
	Bench bench;
	bench.pipeline.apply(SocketModel(Role::active, 1).inventory(start, seconds(0)));
	bench.pipeline.apply(SocketModel(Role::passive, 2).inventory(start, seconds(0)));
	CHECK(bench.pipeline.counters().inventoried == 2);
	CHECK(bench.sink.events.empty());
}

TEST_CASE("the same verdict over and over is summed up, and every one is counted", "[app]") {
	constexpr int reuses = 23;
	FakeSink sink;
	Pipeline::Options options{{100, tick}, {}, false, {}};
	options.collapse = 3;
	Pipeline pipeline(options, sink);
	for (int i = 0; i < reuses; i++) {
		const Nanoseconds now = start + seconds(10 * i);
		pipeline.set_now({now, wall_at_start + seconds(10 * i)});
		SocketModel socket(Role::active, static_cast<std::uint64_t>(100 + i));
		pipeline.apply(socket.open(now));
		socket.turn(now, 100, 500);
		pipeline.apply(socket.peer_fin(now + seconds(2)));
		pipeline.tick();
	}
	std::uint64_t told = sink.verdicts.size();
	for (const Collapsed& sum : sink.sums) {
		told += sum.count;
	}
	CHECK(told < reuses); // the last minute is not over
	pipeline.finish();
	told = sink.verdicts.size();
	for (const Collapsed& sum : sink.sums) {
		CHECK(sum.shown == 3);
		told += sum.count;
	}
	const PipelineCounters& counters = pipeline.counters();
	CHECK(told == reuses);
	CHECK(counters.verdicts.at(static_cast<std::size_t>(VerdictKind::idle_close)) == reuses);
	CHECK(counters.collapsed == reuses - sink.verdicts.size());
	CHECK(counters.collapsed > 0);
}

TEST_CASE("silence and the end of the watch bring verdicts too", "[app]") {
	Bench bench;
	SocketModel socket;
	bench.pipeline.apply(socket.open(start));
	socket.turn(start, 100, 500);
	bench.pipeline.apply(socket.peer_fin(start + seconds(1)));
	bench.pipeline.apply(socket.late_write(start + seconds(2), 60));
	bench.pipeline.set_now({start + seconds(2), wall_at_start + seconds(2)});
	bench.pipeline.tick();
	REQUIRE(bench.kinds() == Names{"idle_close"});
	SECTION("a tick: the application has waited for an answer") {
		bench.pipeline.apply(socket.read_after_late_write(start + seconds(2)));
		bench.pipeline.set_now({start + seconds(3), wall_at_start + seconds(3)});
		bench.pipeline.tick();
	}
	SECTION("the end") {
		bench.pipeline.finish();
	}
	CHECK(bench.kinds() == Names{"idle_close", "stale_reuse"});
}

} // namespace stalesock::test
