// SPDX-License-Identifier: Apache-2.0
#include "model/helper.hpp"

#include "support/catch.hpp"

#include <atomic>
#include <csignal>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace stalesock::test {

TEST_CASE("a helper does its jobs in another thread, in order", "[model][helper]") {
	Helper helper;
	std::vector<int> done;
	Job<std::thread::id> first = helper.start([&done] {
		done.push_back(1);
		return std::this_thread::get_id();
	});
	Job<std::string> second = helper.start([&done] {
		done.push_back(2);
		return std::string("two");
	});
	CHECK(second.get() == "two");
	CHECK(done == std::vector{1, 2});
	CHECK(first.get() != std::this_thread::get_id());
}

TEST_CASE("what a job throws comes out of get, and the next job is done", "[model][helper]") {
	Helper helper;
	Job<void> bad = helper.start([] { throw std::runtime_error("bad"); });
	Job<int> good = helper.start([] { return 7; });
	CHECK_THROWS_WITH(bad.get(), "bad");
	CHECK(good.get() == 7);
}

TEST_CASE("a job that nobody asks for is waited for, by its own end or the helper's",
          "[model][helper]") {
	std::atomic<int> done = 0;
	const auto work = [&done] {
		std::this_thread::sleep_for(std::chrono::milliseconds(5));
		done++;
	};
	Helper helper;
	{ const Job<void> job = helper.start(work); }
	CHECK(done == 1);
	std::vector<Job<void>> jobs;
	{
		Helper other;
		jobs.push_back(other.start(work));
		jobs.push_back(other.start(work));
	}
	CHECK(done == 3);
}

TEST_CASE("signals are left to the other threads", "[model][helper]") {
	Helper helper;
	sigset_t before;
	pthread_sigmask(SIG_SETMASK, nullptr, &before);
	CHECK(sigismember(&before, SIGTERM) == 0);
	const auto refuses = [](int signal) {
		sigset_t mask;
		pthread_sigmask(SIG_SETMASK, nullptr, &mask);
		return sigismember(&mask, signal) == 1;
	};
	for (const int signal : {SIGTERM, SIGINT, SIGWINCH, SIGHUP}) {
		CHECK(helper.start([&] { return refuses(signal); }).get());
	}
}

// Who is moved to another CPU was switched out for it.
static long context_switches() {
	rusage usage{};
	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

TEST_CASE("a job begins on another CPU than its giver's", "[model][helper]") {
	cpu_set_t allowed;
	REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
	if (CPU_COUNT(&allowed) < 2) {
		return; // there is no other
	}
	Helper helper;
	int looked_at = 0;
	for (int i = 0; i < 100; i++) {
		const long switches = context_switches();
		const int here = sched_getcpu();
		Job<int> job = helper.start([] { return sched_getcpu(); });
		if (context_switches() == switches) { // nobody moved us meanwhile
			CHECK(job.get() != here);
			looked_at++;
		}
	}
	CHECK(looked_at > 0);
}

} // namespace stalesock::test
