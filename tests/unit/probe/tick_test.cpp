// SPDX-License-Identifier: Apache-2.0
#include "probe/tick.hpp"

#include "support/catch.hpp"

namespace stalesock::test {

TEST_CASE("a measured tick is one of those that Linux is built with, when it is near one") {
	CHECK(snap_tick(1.0e6) == Nanoseconds(1'000'000));
	CHECK(snap_tick(10.7e6) == Nanoseconds(10'000'000));
	CHECK(snap_tick(3.69e6) == Nanoseconds(4'000'000));
	CHECK(snap_tick(4.31e6) == Nanoseconds(4'000'000));
	CHECK(snap_tick(3.59e6) == Nanoseconds(3'333'333));
	CHECK(snap_tick(3.07e6) == Nanoseconds(3'333'333));
}

TEST_CASE("another tick is taken as it was measured") {
	CHECK(snap_tick(7'812'500.4) == Nanoseconds(7'812'500)); // HZ 128
}

namespace {

std::uint64_t jiffies_after(std::uint64_t seconds, std::uint64_t rate) {
	return (1ULL << 32U) - 300 * rate + seconds * rate;
}

Nanoseconds told(std::uint64_t seconds, std::uint64_t rate) {
	return tick_since_boot(jiffies_after(seconds, rate), std::chrono::seconds(seconds));
}

} // namespace

TEST_CASE("jiffies since boot tell the tick at once") {
	CHECK(told(3, 250) == Nanoseconds(4'000'000));
	CHECK(told(86'400, 100) == Nanoseconds(10'000'000));
	CHECK(told(86'400, 300) == Nanoseconds(3'333'333));
	CHECK(told(400 * 86'400, 1000) == Nanoseconds(1'000'000));
}

TEST_CASE("jiffies that began a second after the clock tell it as well") {
	const std::uint64_t jiffies = jiffies_after(9, 250);
	CHECK(tick_since_boot(jiffies, std::chrono::seconds(10)) == Nanoseconds(4'000'000));
}

TEST_CASE("300 s after boot every tick fits, and with a foreign one none does: not told") {
	CHECK(told(300, 250) == Nanoseconds::zero());
	CHECK(told(290, 250) == Nanoseconds::zero());
	CHECK(told(250, 250) == Nanoseconds(4'000'000));
	CHECK(told(360, 250) == Nanoseconds(4'000'000));
	CHECK(told(86'400, 128) == Nanoseconds::zero());
}

} // namespace stalesock::test
