// SPDX-License-Identifier: Apache-2.0
#include "app/collapser.hpp"

#include "support/catch.hpp"

#include <map>
#include <random>

namespace stalesock::test {

namespace {

using std::chrono::seconds;

constexpr Nanoseconds start = seconds(1000);
constexpr WallTime wall_at_start{seconds(1'795'315'200)};

Verdict verdict_of(std::string_view remote = "10.0.0.7:8080", const char* command = "nginx",
                   std::int32_t pid = 812) {
	Verdict verdict;
	verdict.kind = VerdictKind::stale_reuse;
	verdict.connection.role = Role::active;
	verdict.connection.remote = parse_endpoint(remote).value();
	verdict.owner = {OwnerSource::write, pid, command, "web.service"};
	verdict.id = "7-1";
	return verdict;
}

/// A collapser that is told the time as an offset.
class Bench {
  public:
	explicit Bench(std::uint32_t first, std::size_t limit = Collapser::most_keys)
		: collapser(first, limit) {}

	bool shows(const Verdict& verdict, Nanoseconds offset = {}) {
		return collapser.shows(verdict, wall_at_start + offset, start + offset, handler);
	}
	void expire(Nanoseconds offset) { collapser.expire(start + offset, handler); }
	void finish() { collapser.finish(handler); }

	std::vector<Collapsed> sums;
	Collapser::Handler handler = [this](const Collapsed& sum) { sums.push_back(sum); };
	Collapser collapser;
};

} // namespace

TEST_CASE("the first few are shown, the rest are counted until the minute is over", "[app]") {
	Bench bench(2);
	CHECK(bench.shows(verdict_of()));
	CHECK(bench.shows(verdict_of(), seconds(1)));
	CHECK_FALSE(bench.shows(verdict_of(), seconds(2)));
	CHECK_FALSE(bench.shows(verdict_of(), seconds(3)));
	bench.expire(seconds(60) - Nanoseconds(1));
	CHECK(bench.sums.empty());
	bench.expire(seconds(60));
	REQUIRE(bench.sums.size() == 1);
	const Collapsed& sum = bench.sums[0];
	CHECK(sum.kind == VerdictKind::stale_reuse);
	CHECK(sum.count == 2);
	CHECK(sum.shown == 2);
	CHECK(sum.since == wall_at_start + seconds(2));
	CHECK(sum.until == wall_at_start + seconds(3));
	CHECK(to_string(sum.remote) == "10.0.0.7:8080");
	CHECK(sum.owner.command == "nginx");
	CHECK(sum.owner.pid == 812);
	CHECK(sum.last_id == "7-1");
	CHECK(bench.collapser.size() == 0);
	CHECK(bench.shows(verdict_of(), seconds(60))); // another minute
}

TEST_CASE("a verdict after the minute brings the sum of it, without a tick", "[app]") {
	Bench bench(1);
	CHECK(bench.shows(verdict_of()));
	CHECK_FALSE(bench.shows(verdict_of(), seconds(59)));
	CHECK(bench.shows(verdict_of(), seconds(60)));
	REQUIRE(bench.sums.size() == 1);
	CHECK(bench.sums[0].count == 1);
}

TEST_CASE("what was shown in full needs no sum", "[app]") {
	Bench bench(2);
	CHECK(bench.shows(verdict_of()));
	CHECK(bench.shows(verdict_of()));
	bench.finish();
	CHECK(bench.sums.empty());
	CHECK(bench.collapser.size() == 0);
}

TEST_CASE("0 shows all, and remembers nothing", "[app]") {
	Bench bench(0);
	for (int i = 0; i < 100; i++) {
		CHECK(bench.shows(verdict_of()));
	}
	CHECK(bench.collapser.size() == 0);
}

TEST_CASE("kind, remote endpoint, command and unit make the difference", "[app]") {
	Bench bench(1);
	CHECK(bench.shows(verdict_of()));
	CHECK(bench.shows(verdict_of("10.0.0.7:8081")));
	CHECK(bench.shows(verdict_of("10.0.0.8:8080")));
	CHECK(bench.shows(verdict_of("10.0.0.7:8080", "curl")));
	Verdict other = verdict_of();
	other.owner.unit = "other.service";
	CHECK(bench.shows(other));
	other = verdict_of();
	other.owner.container = "one";
	CHECK(bench.shows(other));
	other = verdict_of();
	other.kind = VerdictKind::idle_close;
	CHECK(bench.shows(other));
	other = verdict_of();
	other.owner = {};
	CHECK(bench.shows(other));
	CHECK_FALSE(bench.shows(other));
	CHECK_FALSE(bench.shows(verdict_of()));
}

TEST_CASE("processes of one command in one unit are one owner", "[app]") {
	Bench bench(1);
	CHECK(bench.shows(verdict_of()));
	CHECK_FALSE(bench.shows(verdict_of("10.0.0.7:8080", "nginx", 813)));
	bench.finish();
	REQUIRE(bench.sums.size() == 1);
	CHECK_FALSE(bench.sums[0].owner.pid.has_value());
	CHECK(bench.sums[0].owner.command == "nginx");
}

TEST_CASE("clients of a listener are one remote for each address", "[app]") {
	Bench bench(1);
	Verdict verdict = verdict_of("10.0.0.9:40001");
	verdict.connection.role = Role::passive;
	verdict.connection.local = parse_endpoint("10.0.0.1:80").value();
	CHECK(bench.shows(verdict));
	verdict.connection.remote.port = 40002;
	CHECK_FALSE(bench.shows(verdict));
	verdict.connection.local.port = 443;
	CHECK(bench.shows(verdict));
	verdict.connection.remote = parse_endpoint("10.0.0.10:40002").value();
	CHECK(bench.shows(verdict));
}

TEST_CASE("a full table sums up the oldest early", "[app]") {
	Bench bench(1, 2);
	CHECK(bench.shows(verdict_of("10.0.0.1:80")));
	CHECK_FALSE(bench.shows(verdict_of("10.0.0.1:80")));
	CHECK(bench.shows(verdict_of("10.0.0.2:80")));
	CHECK(bench.sums.empty());
	CHECK(bench.shows(verdict_of("10.0.0.3:80")));
	CHECK(bench.collapser.size() == 2);
	REQUIRE(bench.sums.size() == 1);
	CHECK(to_string(bench.sums[0].remote) == "10.0.0.1:80");
	CHECK(bench.sums[0].count == 1);
}

TEST_CASE("whatever comes: shown and counted are all there were", "[app]") {
	for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
		std::mt19937 random(seed);
		const auto below = [&random](unsigned limit) {
			return static_cast<unsigned>(random() % limit);
		};
		const std::uint32_t first = below(4);
		Bench bench(first, 1 + below(8));
		std::map<std::string, std::uint64_t> all;
		std::map<std::string, std::uint64_t> told;
		Nanoseconds offset{};
		for (int i = 0; i < 5000; i++) {
			offset += std::chrono::milliseconds(below(2000));
			const std::string remote = "10.0.0." + std::to_string(1 + below(12)) + ":80";
			all[remote]++;
			told[remote] += bench.shows(verdict_of(remote), offset) ? 1 : 0;
			if (below(10) == 0) {
				bench.expire(offset);
			}
		}
		bench.finish();
		for (const Collapsed& sum : bench.sums) {
			CHECK(sum.count > 0);
			CHECK(sum.shown == first);
			CHECK(sum.since <= sum.until);
			told[to_string(sum.remote)] += sum.count;
		}
		CAPTURE(seed);
		CHECK(told == all);
		CHECK(bench.collapser.size() == 0);
	}
}

} // namespace stalesock::test
