// SPDX-License-Identifier: Apache-2.0
#include "sinks/time_text.hpp"

#include "sinks/samples.hpp"
#include "support/catch.hpp"
#include "support/environment.hpp"

namespace stalesock::test {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

WallTime since_epoch(Nanoseconds time) {
	return WallTime{time};
}

} // namespace

TEST_CASE("UTC has exactly six decimals and is never rounded up", "[sinks]") {
	CHECK(utc_text(sample_time) == "2026-11-21T02:40:00.123456Z");
	CHECK(utc_text(since_epoch(Nanoseconds{0})) == "1970-01-01T00:00:00.000000Z");
	CHECK(utc_text(since_epoch(Nanoseconds{999})) == "1970-01-01T00:00:00.000000Z");
	CHECK(utc_text(since_epoch(Nanoseconds{1000})) == "1970-01-01T00:00:00.000001Z");
	CHECK(utc_text(since_epoch(Nanoseconds{999'999'999})) == "1970-01-01T00:00:00.999999Z");
	CHECK(utc_text(since_epoch(seconds{86399})) == "1970-01-01T23:59:59.000000Z");
	CHECK(utc_text(since_epoch(seconds{86400})) == "1970-01-02T00:00:00.000000Z");
}

TEST_CASE("UTC knows leap days", "[sinks]") {
	CHECK(utc_text(since_epoch(seconds{951'782'400})) == "2000-02-29T00:00:00.000000Z");
	CHECK(utc_text(since_epoch(seconds{4'107'542'400})) == "2100-03-01T00:00:00.000000Z");
}

TEST_CASE("a clock before 1970 is told as such", "[sinks]") {
	CHECK(utc_text(since_epoch(Nanoseconds{-1})) == "1969-12-31T23:59:59.999999Z");
	const EnvironmentVariable zone("TZ", "UTC");
	CHECK(local_text(since_epoch(Nanoseconds{-1})) == "23:59:59.999");
}

TEST_CASE("local time follows the time zone and has milliseconds", "[sinks]") {
	{
		const EnvironmentVariable zone("TZ", "UTC");
		CHECK(local_text(sample_time) == "02:40:00.123");
		CHECK(local_text(since_epoch(Nanoseconds{999'999})) == "00:00:00.000");
	}
	const EnvironmentVariable zone("TZ", "XXX-05:30"); // east of Greenwich
	CHECK(local_text(sample_time) == "08:10:00.123");
	CHECK(utc_text(sample_time) == "2026-11-21T02:40:00.123456Z");
}

TEST_CASE("milliseconds are rounded to the nearest step", "[sinks]") {
	CHECK(coarse_ms(microseconds{2'002'149}) == 2002.1);
	CHECK(coarse_ms(microseconds{2'002'150}) == 2002.2);
	CHECK(coarse_ms(microseconds{49}) == 0.0);
	CHECK(coarse_ms(microseconds{50}) == 0.1);
	CHECK(fine_ms(Nanoseconds{498'000'499}) == 498.0);
	CHECK(fine_ms(Nanoseconds{498'000'500}) == 498.001);
	CHECK(fine_ms(Nanoseconds{499}) == 0.0);
}

} // namespace stalesock::test
