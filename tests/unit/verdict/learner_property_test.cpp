// SPDX-License-Identifier: Apache-2.0
// Properties of what is learned over time and from several places, on servers with noise from a seeded generator.
#include "support/catch.hpp"
#include "support/dice.hpp"
#include "verdict/observations.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace stalesock::test {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Nanoseconds on_time(Dice& dice, Nanoseconds timeout) {
	return timeout + dice.between({}, milliseconds(5));
}

bool is_about(const std::optional<Agreement>& learned, Nanoseconds expected) {
	return learned && std::chrono::abs(learned->lowest - expected) <= milliseconds(6) &&
	       std::chrono::abs(learned->highest - expected) <= milliseconds(6);
}

} // namespace

TEST_CASE("property: with half of the closes noise, 5 of 6 servers are known exactly after 12",
          "[peers]") {
	Dice dice(11);
	int learned = 0;
	for (int server = 0; server < 500; server++) {
		const Nanoseconds timeout = dice.between(seconds(2), seconds(120));
		Observations closes;
		for (int i = 0; i < 12; i++) {
			const Nanoseconds time = dice.percent(50) ? dice.between(milliseconds(100), timeout)
			                                          : on_time(dice, timeout);
			closes.add(time, seconds(100 * i));
		}
		learned += is_about(closes.agreement(), timeout) ? 1 : 0;
	}
	CHECK(learned * 6 >= 500 * 5);
}

TEST_CASE(
	"property: however rare closes are, a change is all that is told after 4 of them and 7 days",
	"[peers]") {
	Dice dice(12);
	for (int server = 0; server < 200; server++) {
		const Nanoseconds before = dice.between(seconds(2), seconds(60));
		const Nanoseconds after = before + dice.between(seconds(2), seconds(60));
		const Nanoseconds apart = dice.between(hours(1), hours(7 * 24));
		Observations closes;
		Nanoseconds now{};
		for (int i = 0; i < 20; i++) {
			closes.add(on_time(dice, before), now += apart);
		}
		const Nanoseconds last = now;
		for (int i = 1; i <= 12; i++) {
			closes.add(on_time(dice, after), now += apart);
			if (i >= 12 || (i >= 4 && now - last > hours(7 * 24) + seconds(1))) {
				CAPTURE(i);
				REQUIRE(is_about(closes.agreement(), after));
			}
		}
	}
}

TEST_CASE("property: nothing is told of a server that was not seen for 30 days", "[peers]") {
	Dice dice(13);
	for (int server = 0; server < 100; server++) {
		Observations closes;
		Nanoseconds now{};
		for (int i = 0; i < 40; i++) {
			closes.add(on_time(dice, seconds(5)), now += dice.between(seconds(1), hours(20)));
		}
		closes.values().forget_old(now + hours(30 * 24) + seconds(1));
		REQUIRE_FALSE(closes.agreement());
	}
}

TEST_CASE("property: it does not matter which of two states is merged into which", "[peers]") {
	Dice dice(14);
	for (int server = 0; server < 200; server++) {
		const Nanoseconds timeout = dice.between(seconds(2), seconds(60));
		Observations one;
		Observations other;
		for (int i = 0; i < 40; i++) { // no two in one second
			(dice.percent(50) ? one : other).add(on_time(dice, timeout), seconds(10 * i));
		}
		Observations there = other;
		there.values().merge(one.values().entries());
		one.values().merge(other.values().entries());
		REQUIRE(one.size() == RecentValues::capacity);
		REQUIRE(std::equal(one.values().entries().begin(), one.values().entries().end(),
		                   there.values().entries().begin(), there.values().entries().end()));
		REQUIRE(is_about(one.agreement(), timeout));
	}
}

TEST_CASE("property: chance teaches next to nothing", "[peers]") {
	Dice dice(15);
	int told = 0;
	int total = 0;
	for (int server = 0; server < 200; server++) {
		Observations closes;
		for (int i = 0; i < 32; i++) { // a server that closes whenever it likes within two minutes
			closes.add(dice.between(seconds(1), seconds(120)), seconds(100 * i));
			total++;
			told += closes.agreement() ? 1 : 0;
		}
	}
	CAPTURE(told, total);
	CHECK(told * 100 <= total * 20);
}

} // namespace stalesock::test
