// SPDX-License-Identifier: Apache-2.0
#include "probe/tick.hpp"

#include <catch2/catch.hpp>

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

} // namespace stalesock::test
