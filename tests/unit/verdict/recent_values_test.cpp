// SPDX-License-Identifier: Apache-2.0
// Remembering: by count, by time, and after merging.
#include "support/catch.hpp"
#include "verdict/recent_values.hpp"

#include <vector>

namespace stalesock::test {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::uint32_t> values(const RecentValues& recent) {
	std::vector<std::uint32_t> found;
	for (const Seen& seen : recent.entries()) {
		found.push_back(seen.value);
	}
	return found;
}

RecentValues of(const std::vector<Seen>& entries) {
	RecentValues recent;
	recent.merge(entries);
	return recent;
}

} // namespace

TEST_CASE("the last 32 values are kept, oldest first", "[peers]") {
	RecentValues recent;
	for (std::uint32_t i = 0; i < 40; i++) {
		recent.add(i, seconds(i), Burst{});
	}
	REQUIRE(recent.size() == 32);
	CHECK(recent.entries().front() == Seen{8, 8});
	CHECK(recent.entries().back() == Seen{39, 39});
}

TEST_CASE("a value is kept for 30 days", "[peers]") {
	RecentValues recent;
	recent.add(1, hours(1), Burst{});
	recent.add(2, hours(2), Burst{});
	CHECK_FALSE(recent.forget_old(hours(30 * 24 + 1)));
	CHECK(recent.size() == 2);
	CHECK(recent.forget_old(hours(30 * 24 + 1) + seconds(1)));
	CHECK(values(recent) == std::vector<std::uint32_t>{2});
	recent.add(3, hours(30 * 24 + 2) + seconds(1), Burst{});
	CHECK(values(recent) == std::vector<std::uint32_t>{3});
}

TEST_CASE("merging keeps the latest of both, and an observation once", "[peers]") {
	RecentValues recent = of({{1, -50}, {2, 10}, {3, 30}});
	recent.merge(of({{4, -60}, {2, 10}, {2, 11}, {5, 20}}).entries());
	CHECK(values(recent) == std::vector<std::uint32_t>{4, 1, 2, 2, 5, 3});
	recent.merge(recent.entries());
	CHECK(recent.size() == 6);

	std::vector<Seen> many;
	for (std::int32_t i = 0; i < 32; i++) {
		many.push_back({100, i});
	}
	recent.merge(many);
	REQUIRE(recent.size() == 32);
	CHECK(recent.entries().front() == Seen{100, 4}); // 4, 1 and the first four are gone
}

TEST_CASE("moments long before the boot and long after are moments", "[peers]") {
	RecentValues recent;
	recent.add(1, hours(24 * 365 * 100), Burst{});
	recent.forget_old(hours(24 * 365 * 100));
	CHECK(recent.size() == 1);
}

} // namespace stalesock::test
