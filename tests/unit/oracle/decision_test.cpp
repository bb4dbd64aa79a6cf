// SPDX-License-Identifier: Apache-2.0
#include "oracle/decision.hpp"

#include "support/catch.hpp"

namespace oracle {

namespace {

using std::chrono::milliseconds;

const std::vector<Again> never_back(times_tried, Again::agreed);

std::vector<Again> once(Again again) {
	std::vector<Again> times = never_back;
	times.at(3) = again;
	return times;
}

} // namespace

TEST_CASE("what comes back fails, whatever the machine did", "[oracle]") {
	const milliseconds stood_still(GENERATE(0, 20, 400));
	const bool timer = GENERATE(false, true);
	const std::vector<Again> times =
		GENERATE(once(Again::came_back), std::vector<Again>(times_tried, Again::came_back));
	const Decision decision = decide(times, {stood_still, timer});
	CHECK(decision.fails);
	CHECK(decision.reason.find("it came back") == 0);
}

TEST_CASE("what never comes back is told where the machine stood still", "[oracle]") {
	const Decision decision = decide(never_back, {milliseconds(57), false});
	CHECK_FALSE(decision.fails);
	CHECK(decision.reason == "tried again 5 times, it did not come back; the machine stood still "
	                         "for 57 ms at that moment");
}

TEST_CASE("what never comes back fails where the machine did not stand still", "[oracle]") {
	const Decision decision = decide(never_back, {});
	CHECK(decision.fails);
	CHECK(decision.reason == "tried again 5 times, it did not come back; the machine did not stand "
	                         "still at that moment, "
	                         "so nothing explains it");
}

TEST_CASE("a timer that was not seen once needs no machine that stood still", "[oracle]") {
	CHECK_FALSE(decide(never_back, {milliseconds(0), true}).fails);
}

TEST_CASE("a skipped program that is admitted needs no machine that stood still", "[oracle]") {
	CHECK_FALSE(decide(never_back, {milliseconds(0), false, true}).fails);
	CHECK(decide(once(Again::came_back), {milliseconds(0), false, true}).fails);
}

TEST_CASE("times that went wrong excuse nothing", "[oracle]") {
	const bool timer = GENERATE(false, true);
	CHECK(decide(once(Again::changed), {milliseconds(57), timer}).fails);
	CHECK(decide(once(Again::spoiled), {milliseconds(57), timer}).fails);
	CHECK(decide({}, {milliseconds(57), timer}).fails);
}

TEST_CASE("times that nobody can decide excuse nothing, beside others they do no harm",
          "[oracle]") {
	CHECK(
		decide(std::vector<Again>(times_tried, Again::undecided), {milliseconds(57), false}).fails);
	CHECK_FALSE(decide(once(Again::undecided), {milliseconds(57), false}).fails);
	CHECK_FALSE(decide(once(Again::disturbed), {milliseconds(57), false}).fails);
	CHECK(
		decide(std::vector<Again>(times_tried, Again::disturbed), {milliseconds(57), false}).fails);
}

} // namespace oracle
