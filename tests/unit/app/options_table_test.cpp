// SPDX-License-Identifier: Apache-2.0
// The options of `list` and `top`.
#include "app/options.hpp"
#include "support/catch.hpp"

namespace stalesock::test {

using namespace std::chrono_literals;

namespace {

template <typename Config> Config parsed(std::vector<const char*> words) {
	words.insert(words.begin(), "stalesock");
	return std::get<Config>(parse_command_line(static_cast<int>(words.size()), words.data()));
}

} // namespace

TEST_CASE("list alone lists everything by the iterators", "[app]") {
	const auto config = parsed<ListConfig>({"list"});
	CHECK(is_empty(config.filter));
	CHECK(config.columns.empty());
	CHECK(config.sort == nullptr);
	CHECK(config.bpf);
	CHECK(config.head);
	CHECK(config.colour);
	CHECK_FALSE(config.json);
	CHECK(config.netns == 0);
}

TEST_CASE("each option of list reaches its place", "[app]") {
	const auto config =
		parsed<ListConfig>({"list",     "--json",    "--state",    "CLOSE_WAIT,listen",
	                        "--stale",  "--remote",  ":8080",      "--local",
	                        "::1",      "--pid",     "12",         "--unit",
	                        "nginx",    "--role",    "active",     "--idle-over",
	                        "2.5",      "--columns", "fin,pid",    "--sort",
	                        "fin",      "--reverse", "--by",       "listener",
	                        "--no-bpf", "--no-head", "--no-color", "--port",
	                        "80"});
	CHECK(config.json);
	CHECK(config.filter.states == (state_bit(TcpState::close_wait) | state_bit(TcpState::listen)));
	CHECK(config.filter.stale);
	CHECK(config.filter.remote->port == 8080);
	CHECK(config.filter.local->address == parse_address("::1"));
	CHECK(config.filter.pid == 12);
	CHECK(config.filter.unit == "nginx.service");
	CHECK(config.filter.role == Role::active);
	CHECK(config.filter.idle_over == 2500ms);
	CHECK(config.filter.port == 80);
	REQUIRE(config.columns.size() == 2);
	CHECK(config.columns[0]->name == "fin");
	CHECK(config.sort == config.columns[0]);
	CHECK(config.reverse);
	CHECK(config.by == GroupBy::listener);
	CHECK_FALSE(config.bpf);
	CHECK_FALSE(config.head);
	CHECK_FALSE(config.colour);
}

TEST_CASE("top in batch mode", "[app]") {
	const auto config = parsed<TopConfig>({"top", "-b", "-n", "3", "-d", "0.5", "--json"});
	CHECK(config.batch);
	CHECK(config.iterations == 3U);
	CHECK(config.interval == 500ms);
	CHECK(config.verdicts);
	CHECK_FALSE(parsed<TopConfig>({"top", "--no-verdicts"}).verdicts);
}

TEST_CASE("lines need batch mode", "[app]") {
	CHECK_THROWS_AS(parsed<TopConfig>({"top", "--json"}), UsageError);
	CHECK_THROWS_AS(parsed<TopConfig>({"top", "-n", "3"}), UsageError);
	CHECK_THROWS_AS(parsed<ListConfig>({"list", "--state", "CLOSED"}), UsageError);
	CHECK_THROWS_AS(parsed<ListConfig>({"list", "--columns", "fin,"}), UsageError);
}

} // namespace stalesock::test
