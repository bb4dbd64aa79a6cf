// SPDX-License-Identifier: Apache-2.0
#include "app/continuity.hpp"

#include "support/catch.hpp"
#include "support/scratch.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace stalesock::test {

namespace {

Continuation sample(std::uint64_t cookie) {
	Continuation continuation;
	continuation.cookie = cookie;
	continuation.fin_time = Nanoseconds(1'000'000 + static_cast<std::int64_t>(cookie));
	continuation.write_seq = 4'294'967'295;
	continuation.history_known = true;
	continuation.eof_peeked = true;
	continuation.late_judged = true;
	continuation.leak_told = true;
	continuation.silent_drop_told = true;
	continuation.role = Role::active;
	continuation.verdicts = 3;
	return continuation;
}

Continuation plain(std::uint64_t cookie) {
	Continuation continuation;
	continuation.cookie = cookie;
	continuation.fin_time_inferred = true;
	continuation.eof_read = true;
	continuation.dirty_told = true;
	continuation.verdicts = 1;
	return continuation;
}

} // namespace

TEST_CASE("the first process finds nothing, the next one all that was kept", "[app][continuity]") {
	const ScratchFolder folder;
	{
		Continuity first(folder.path());
		CHECK_FALSE(first.former().has_value());
		first.keep(sample(7));
		first.keep(plain(8));
		first.keep(plain(9));
		first.drop(9);
		first.drop(10); // was never there
		first.alive(Nanoseconds(5'000'000), 2, 3);
	}
	const Continuity second(folder.path());
	REQUIRE(second.former().has_value());
	const auto& former = *second.former();
	CHECK(former.last_alive == Nanoseconds(5'000'000));
	CHECK_FALSE(former.stopped_cleanly);
	CHECK(former.undecided == 2);
	CHECK(former.undelivered == 3);
	CHECK(former.connections == std::vector{sample(7), plain(8)});
}

TEST_CASE("a clean stop is told from a kill", "[app][continuity]") {
	const ScratchFolder folder;
	{
		Continuity first(folder.path());
		first.alive(Nanoseconds(1), 0, 0);
		first.stopped_cleanly();
	}
	CHECK(Continuity(folder.path()).former().value().stopped_cleanly);
}

TEST_CASE("a process that is killed leaves what it kept", "[app][continuity]") {
	const ScratchFolder folder;
	const pid_t child = fork();
	if (child == 0) {
		Continuity first(folder.path());
		first.alive(Nanoseconds(1), 0, 0);
		first.keep(sample(7));
		raise(SIGKILL);
	}
	REQUIRE(waitpid(child, nullptr, 0) == child);
	CHECK(Continuity(folder.path()).former().value().connections.size() == 1);
}

TEST_CASE("a process that never watched leaves what it found", "[app][continuity]") {
	const ScratchFolder folder;
	{
		Continuity first(folder.path());
		first.alive(Nanoseconds(1), 0, 0);
		first.keep(sample(7));
	}
	{ const Continuity second(folder.path()); }
	const Continuity third(folder.path());
	REQUIRE(third.former().has_value());
	CHECK(third.former()->last_alive == Nanoseconds(1));
	CHECK(third.former()->connections.size() == 1);
}

TEST_CASE("a newer entry of a connection takes the place of the older", "[app][continuity]") {
	const ScratchFolder folder;
	{
		Continuity first(folder.path());
		first.alive(Nanoseconds(1), 0, 0);
		first.keep(plain(7));
		first.keep(sample(7));
	}
	CHECK(Continuity(folder.path()).former().value().connections == std::vector{sample(7)});
}

TEST_CASE("without room the connection that was closed longest ago is forgotten, and counted",
          "[app][continuity]") {
	constexpr std::uint64_t sets = 16'384;
	const ScratchFolder folder;
	{
		Continuity first(folder.path());
		first.alive(Nanoseconds(1), 0, 0);
		for (std::uint64_t i = 1; i <= 4; ++i) { // all in one set
			first.keep(sample(7 + i * sets));
		}
		CHECK_FALSE(first.former().has_value());
		first.keep(sample(7 + 5 * sets));
	}
	const Continuity second(folder.path());
	CHECK(second.former()->forgotten == 1);
	REQUIRE(second.former()->connections.size() == 4);
	for (const Continuation& continuation : second.former()->connections) {
		CHECK(continuation.cookie != 7 + sets);
	}
}

TEST_CASE("a file of another boot, of another layout or with nonsense is begun anew",
          "[app][continuity]") {
	const ScratchFolder folder;
	const std::string path = folder / "continuity";
	SECTION("nonsense") {
		std::ofstream(path) << std::string(5000, 'x');
	}
	SECTION("another boot") {
		{
			Continuity first(folder.path());
			first.alive(Nanoseconds(1), 0, 0);
			first.keep(sample(7));
		}
		std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
		file.seekp(16); // the boot's id
		file << "00000000";
	}
	const Continuity second(folder.path());
	CHECK_FALSE(second.former().has_value());
}

TEST_CASE("a second process beside the first is refused", "[app][continuity]") {
	const ScratchFolder folder;
	const Continuity first(folder.path());
	CHECK_THROWS_WITH(Continuity(folder.path()), matchers::Contains("another daemon runs"));
}

TEST_CASE("a place that cannot be used is an error that names it", "[app][continuity]") {
	const ScratchFolder folder;
	CHECK_THROWS_AS(Continuity(folder.path() + "/a/b"), std::system_error);
	rlimit before{};
	getrlimit(RLIMIT_FSIZE, &before);
	rlimit small = before;
	small.rlim_cur = 1000;
	auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK_THROWS_AS(Continuity(folder.path()), std::system_error); // no SIGBUS later
	setrlimit(RLIMIT_FSIZE, &before);
	std::signal(SIGXFSZ, handler);
}

} // namespace stalesock::test
