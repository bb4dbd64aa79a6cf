// SPDX-License-Identifier: Apache-2.0
// What closes agree on: both sides of each threshold, then servers with noise from a seeded generator.
#include "support/catch.hpp"
#include "support/dice.hpp"
#include "verdict/observations.hpp"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <vector>

namespace stalesock::test {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Closes one second apart.
class Closes {
  public:
	Closes() = default;
	Closes(std::initializer_list<int> times_ms) { add(times_ms); }

	void add(Nanoseconds time) { observations_.add(time, now_ += seconds(1)); }
	void add(std::initializer_list<int> times_ms) {
		for (const int ms : times_ms) {
			add(milliseconds(ms));
		}
	}
	void add(int times, Nanoseconds time) {
		for (int i = 0; i < times; i++) {
			add(time);
		}
	}
	[[nodiscard]] std::optional<Agreement> agreement() const { return observations_.agreement(); }
	[[nodiscard]] std::uint32_t size() const { return observations_.size(); }

  private:
	Observations observations_;
	Nanoseconds now_{};
};

bool is(const Closes& closes, Nanoseconds lowest, Nanoseconds highest) {
	const auto learned = closes.agreement();
	return learned && learned->lowest == lowest && learned->highest == highest;
}

bool is(const Closes& closes, Nanoseconds time) {
	return is(closes, time, time);
}

/// A server that closes on its timer, 0 to 5 ms late.
Nanoseconds on_time(Dice& dice, Nanoseconds timeout) {
	return timeout + dice.between({}, milliseconds(5));
}

/// Times are kept in steps of 0.1 ms.
bool near(Nanoseconds found, Nanoseconds expected) {
	return expected - microseconds(100) <= found && found <= expected + milliseconds(5);
}

} // namespace

TEST_CASE("nothing is learned from fewer than three closes", "[peers]") {
	CHECK_FALSE(Closes{}.agreement());
	CHECK_FALSE(Closes{2000}.agreement());
	CHECK_FALSE(Closes{2000, 2000}.agreement());
	const auto learned = Closes{2000, 2001, 2000}.agreement();
	REQUIRE(learned);
	CHECK(learned->lowest == seconds(2));
	CHECK(learned->highest == milliseconds(2001));
	CHECK(learned->agreeing == 3);
	CHECK(learned->remembered == 3);
}

TEST_CASE("closes agree within 50 ms", "[peers]") {
	CHECK(agreement_width(seconds(1)) == milliseconds(50));
	CHECK(is({1000, 1020, 1050}, milliseconds(1000), milliseconds(1050)));
	CHECK_FALSE(Closes{1000, 1020, 1051}.agreement());
}

TEST_CASE("closes agree within a tenth, where 50 ms are more", "[peers]") {
	CHECK(agreement_width(milliseconds(500)) == milliseconds(50));
	CHECK(agreement_width(milliseconds(200)) == milliseconds(20));
	CHECK(is({200, 210, 220}, milliseconds(200), milliseconds(220)));
	CHECK_FALSE(Closes{200, 210, 221}.agreement());
	CHECK_FALSE(Closes{100, 120, 140}.agreement());
}

TEST_CASE("closes agree within 2 %, where that is more", "[peers]") {
	CHECK(agreement_width(milliseconds(2500)) == milliseconds(50));
	CHECK(agreement_width(seconds(60)) == milliseconds(1200));
	CHECK(is({60000, 60300, 61200}, seconds(60), milliseconds(61200)));
	CHECK_FALSE(Closes{60000, 60300, 61201}.agreement());
}

TEST_CASE("two closes that agree and any others teach nothing", "[peers]") {
	CHECK_FALSE(Closes{2000, 2001, 300, 900, 1400, 4000}.agreement());
}

TEST_CASE("early closes are remembered and do not count", "[peers]") {
	const Closes closes{2000, 300, 2001, 1234, 2000};
	CHECK(is(closes, seconds(2), milliseconds(2001)));
	CHECK(closes.agreement()->agreeing == 3);
	CHECK(closes.agreement()->remembered == 5);
}

TEST_CASE("a time is believed while a quarter of the closes agree on it", "[peers]") {
	Closes closes{1000, 3000, 5000, 7000, 9000, 11000, 13000, 15000, 17000};
	closes.add(3, seconds(20));
	CHECK(is(closes, seconds(20)));
	closes.add({18600});
	CHECK_FALSE(closes.agreement());
}

TEST_CASE("two timeouts are a range, not a mean", "[peers]") {
	const Closes closes{1000, 5000, 1000, 5001, 1001, 5000};
	CHECK(is(closes, seconds(1), milliseconds(5001)));
	CHECK(closes.agreement()->agreeing == 6);
}

TEST_CASE("a range needs both of its ends to be learned", "[peers]") {
	CHECK(is({1000, 5000, 1000, 5000, 1000}, seconds(1)));
	CHECK(is({1000, 5000, 1000, 5000, 5000}, seconds(5)));
}

TEST_CASE("a changed timeout is learned from four closes in a row, old ones forgotten after twelve",
          "[peers]") {
	const auto [before, after] = GENERATE(std::pair(2, 5), std::pair(5, 2));
	Closes closes;
	closes.add(32, seconds(before));
	closes.add(3, seconds(after));
	CHECK(is(closes, seconds(before)));
	closes.add(1, seconds(after));
	CHECK(is(closes, seconds(2), seconds(5)));
	closes.add(7, seconds(after));
	CHECK(is(closes, seconds(2), seconds(5)));
	closes.add(1, seconds(after));
	CHECK(is(closes, seconds(after)));
	CHECK(closes.agreement()->agreeing == 12);
	CHECK(closes.agreement()->remembered == 32);
}

TEST_CASE("a server seen for the first time has less to unlearn", "[peers]") {
	Closes closes;
	closes.add(4, seconds(2));
	closes.add(3, seconds(5));
	CHECK(is(closes, seconds(2), seconds(5)));
}

TEST_CASE("32 closes are remembered", "[peers]") {
	Closes closes;
	closes.add(40, seconds(2));
	CHECK(closes.size() == 32);
	CHECK(closes.agreement()->agreeing == 32);
	CHECK(closes.agreement()->remembered == 32);
}

TEST_CASE("of closes at one moment one counts", "[peers]") {
	Observations closes;
	const Nanoseconds now = seconds(100);
	for (int i = 0; i < 20; i++) {
		CHECK(closes.add(milliseconds(300), now + milliseconds(i)) == (i == 0));
	}
	CHECK(closes.size() == 1);
	CHECK_FALSE(closes.add(milliseconds(300), now + milliseconds(899)));
	CHECK(closes.add(milliseconds(300), now + milliseconds(900)));
}

TEST_CASE("a restart that closes a whole pool is no timeout", "[peers]") {
	Observations closes;
	Nanoseconds now = seconds(100);
	for (int i = 0; i < 20; i++) {
		closes.add(seconds(2), now += seconds(1));
	}
	for (int i = 0; i < 50; i++) {
		closes.add(milliseconds(300 + i % 2), now += microseconds(50));
	}
	REQUIRE(closes.agreement());
	CHECK(closes.agreement()->lowest == seconds(2));
	CHECK(closes.agreement()->highest == seconds(2));
}

TEST_CASE("times beyond what fits are kept as the longest", "[peers]") {
	Closes closes;
	closes.add(3, std::chrono::hours(1000));
	REQUIRE(closes.agreement());
	CHECK(closes.agreement()->lowest > std::chrono::hours(119));
	closes = {};
	closes.add(3, -seconds(1));
	CHECK(is(closes, Nanoseconds{}));
}

TEST_CASE("a coarse timer is one range from its first close on", "[peers]") {
	CHECK(is({5000, 5960, 5400, 5420, 5440}, seconds(5), milliseconds(5960)));
	SECTION("unless two thirds agree: the others came early or late") {
		CHECK(is({5000, 5960, 5400, 5420, 5440, 5440}, milliseconds(5400), milliseconds(5440)));
	}
	SECTION("a second and what closes agree within is its widest step") {
		CHECK(is({5000, 6100, 5400, 5420, 5440}, seconds(5), milliseconds(6100)));
		CHECK_FALSE(is({5000, 6101, 5400, 5420, 5440}, seconds(5), milliseconds(6101)));
	}
	SECTION("below a second it cannot be told from early closes") {
		CHECK(is({950, 1700, 1400, 1420, 1440}, milliseconds(950), milliseconds(1700)));
		CHECK_FALSE(is({949, 1700, 1400, 1420, 1440}, milliseconds(949), milliseconds(1700)));
	}
}

TEST_CASE("property: an exact timer is learned at the third close and kept", "[peers]") {
	Dice dice(1);
	for (int server = 0; server < 200; server++) {
		const Nanoseconds timeout = dice.between(milliseconds(150), seconds(400));
		CAPTURE(timeout.count());
		Closes closes;
		for (int i = 1; i <= 60; i++) {
			closes.add(on_time(dice, timeout));
			const auto learned = closes.agreement();
			REQUIRE(learned.has_value() == (i >= 3));
			REQUIRE(
				(!learned || (near(learned->lowest, timeout) && near(learned->highest, timeout))));
		}
	}
}

TEST_CASE("property: a fifth of early closes does not mislead", "[peers]") {
	Dice dice(2);
	int wrong = 0;
	constexpr int servers = 200;
	constexpr int closes_each = 100;
	for (int server = 0; server < servers; server++) {
		const Nanoseconds timeout = dice.between(seconds(2), seconds(120));
		Closes closes;
		int good = 0;
		for (int i = 0; i < closes_each; i++) {
			const bool early = dice.percent(20);
			good += early ? 0 : 1;
			closes.add(early ? dice.between(milliseconds(100), timeout) : on_time(dice, timeout));
			const auto learned = closes.agreement();
			REQUIRE(learned.has_value() >= (good >= 3));
			if (learned && (learned->lowest < timeout - agreement_width(timeout) ||
			                learned->highest > timeout + milliseconds(5))) {
				wrong++;
			}
		}
	}
	CHECK(wrong <= servers * closes_each / 1000); // one in a thousand
}

TEST_CASE("property: a timer of one second is learned with its step", "[peers]") {
	struct Server {
		int timeout_s, median, most;
	};
	const auto [timeout_s, median, most] =
		GENERATE(Server{1, 11, 22}, Server{5, 7, 12}, Server{60, 3, 3});
	const Nanoseconds timeout = seconds(timeout_s);
	Dice dice(3);
	std::vector<int> learned_after;
	for (int server = 0; server < 200; server++) {
		Closes closes;
		int first = 0;
		for (int i = 1; i <= 100; i++) {
			closes.add(dice.between(timeout, timeout + seconds(1)));
			const auto learned = closes.agreement();
			first = first == 0 && learned ? i : first;
			REQUIRE((!learned || (learned->lowest >= timeout - microseconds(100) &&
			                      learned->highest <= timeout + seconds(1))));
		}
		learned_after.push_back(first);
		const auto learned = closes.agreement();
		REQUIRE(learned);
		CHECK(learned->highest - learned->lowest > milliseconds(600));
		CHECK(learned->lowest < timeout + milliseconds(300));
	}
	std::sort(learned_after.begin(), learned_after.end());
	CHECK(learned_after[100] == median);
	CHECK(learned_after.back() == most);
}

TEST_CASE("property: a redeploy with another timeout", "[peers]") {
	Dice dice(4);
	for (int server = 0; server < 200; server++) {
		const Nanoseconds before = dice.between(seconds(1), seconds(30));
		const Nanoseconds after = before + (dice.percent(50) ? 1 : -1) * before / 3;
		Closes closes;
		for (int i = 0; i < 32; i++) {
			closes.add(on_time(dice, before));
		}
		for (int i = 1; i <= 40; i++) {
			closes.add(on_time(dice, after));
			const auto learned = closes.agreement();
			REQUIRE(learned);
			const bool lower = near(learned->lowest, std::min(before, after));
			const bool upper = near(learned->highest, std::max(before, after));
			REQUIRE(((i < 4 || i >= 12) || (lower && upper)));
			REQUIRE((i < 12 || near(learned->lowest, after)));
			REQUIRE((i < 12 || near(learned->highest, after)));
		}
	}
}

TEST_CASE("what was true before a change is told for 7 days, then what is true now", "[peers]") {
	using std::chrono::hours;
	Observations closes;
	const Nanoseconds changed = hours(24 * 20);
	for (int i = 20; i > 0; i--) { // one a day, the last one a second before
		closes.add(seconds(60), changed - seconds(1) - hours(24 * (i - 1)));
	}
	closes.add(seconds(5), changed);
	closes.add(seconds(5), changed + hours(1));
	CHECK(closes.agreement()->lowest == seconds(60));
	closes.add(seconds(5), changed + hours(2));
	closes.add(seconds(5), changed + hours(3));
	REQUIRE(closes.agreement()->lowest == seconds(5));
	CHECK(closes.agreement()->highest == seconds(60));
	closes.add(seconds(5), changed + hours(7 * 24) - seconds(1));
	CHECK(closes.agreement()->highest == seconds(60));
	closes.add(seconds(5), changed + hours(7 * 24));
	CHECK(closes.agreement()->lowest == seconds(5));
	CHECK(closes.agreement()->highest == seconds(5));
}

TEST_CASE("property: two servers behind one address", "[peers]") {
	Dice dice(5);
	int both = 0;
	int total = 0;
	for (int server = 0; server < 100; server++) {
		const Nanoseconds one = dice.between(seconds(1), seconds(10));
		const Nanoseconds other = 2 * one + seconds(1);
		Closes closes;
		for (int i = 0; i < 100; i++) {
			closes.add(on_time(dice, dice.percent(50) ? one : other));
			const auto learned = closes.agreement();
			if (!learned) {
				continue;
			}
			const auto is_time = [&](Nanoseconds time) {
				return near(time, one) || near(time, other);
			};
			REQUIRE(is_time(learned->lowest)); // never between
			REQUIRE(is_time(learned->highest));
			if (i >= 12) {
				total++;
				both += near(learned->lowest, one) && near(learned->highest, other) ? 1 : 0;
			}
		}
	}
	CHECK(both * 100 >= total * 98);
}

} // namespace stalesock::test
