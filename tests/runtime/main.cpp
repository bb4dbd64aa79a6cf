// SPDX-License-Identifier: Apache-2.0
// Real sockets in a private network namespace, watched by the real program. Needs root.
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"
#include "support/network.hpp"
#include "support/schema.hpp"
#include "support/sight.hpp"
#include "support/stalls.hpp"
#include "support/watch.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

using runtime::Json;
using runtime::Side;

/// Verdicts about connections that no test made. Nobody else is in this network namespace.
int count_strays(const runtime::Watch& watch) {
	int count = 0;
	for (const Json& verdict : watch.verdicts()) {
		const Json& connection = verdict.at("connection");
		if (!runtime::is_ours(Side{connection.at("local"), connection.at("remote")})) {
			std::fprintf(stderr, "verdict about an unknown connection: %s\n",
			             verdict.dump().c_str());
			++count;
		}
	}
	return count;
}

/// Verdicts that say what the hooks in use cannot see.
int count_overclaims(const runtime::Watch& watch) {
	int count = 0;
	for (const Json& verdict : watch.verdicts()) {
		const std::string claim = runtime::overclaim(verdict);
		if (!claim.empty()) {
			std::fprintf(stderr, "verdict that cannot know %s: %s\n", claim.c_str(),
			             verdict.dump().c_str());
			++count;
		}
	}
	return count;
}

/// Programs that did not run are counted for the whole host, whatever is busy there; a full ring
/// loses our own events.
bool ring_was_full(const runtime::Watch& watch) {
	return watch.errors().find("(0 dropped") == std::string::npos;
}

/// What can only be said once every test is over.
bool check_the_whole_stream() {
	runtime::Watch& watch = runtime::watch();
	const int code = watch.stop();
	const int strays = count_strays(watch);
	const int overclaims = count_overclaims(watch);
	std::vector<std::string> lines = watch.lines();
	lines.insert(lines.end(), watch.notes().begin(), watch.notes().end());
	const std::string faults = runtime::schema_faults(lines);
	for (const std::string& note : watch.notes()) {
		std::fprintf(stderr, "note: %s\n", note.c_str());
	}
	std::fprintf(stderr, "%zu verdicts; exit code %d; %d strays; %d overclaims; schema: %s\n%s",
	             watch.lines().size(), code, strays, overclaims,
	             faults.empty() ? "valid" : faults.c_str(), watch.errors().c_str());
	const bool skips = runtime::all_skips_are_expected();
	std::fprintf(stderr, "hooks: %s\n%s%s", watch.hook_class().c_str(),
	             runtime::skip_report().c_str(), skips ? "" : "not all of them were expected\n");
	return skips && code == 0 && strays == 0 && overclaims == 0 && faults.empty() &&
	       !ring_was_full(watch);
}

/// The watch is there before the first connection of the first test.
struct StartWatch : CatchListener {
	using CatchListener::CatchListener;
	void testRunStarting(const Catch::TestRunInfo& /*run*/) override { runtime::watch(); }
};
CATCH_REGISTER_LISTENER(StartWatch)

/// Of each case that fails: "failed: NAME; the machine stood still for 159 ms", or "... did not stand still".
/// tests/vm/short.sh reads it.
struct NameFailures : CatchListener {
	using CatchListener::CatchListener;

	void testCaseStarting(const Catch::TestCaseInfo& info) override {
		begin_ = std::chrono::system_clock::now().time_since_epoch();
		name_ = info.name;
	}

	void testCaseEnded(const Catch::TestCaseStats& statistics) override {
		if (statistics.totals.assertions.failed == 0) {
			return;
		}
		using std::chrono::duration_cast;
		using std::chrono::milliseconds;
		const auto end = std::chrono::system_clock::now().time_since_epoch();
		const auto still = duration_cast<milliseconds>(stalls_.seen().longest(begin_, end));
		const std::string halt = still.count() == 0
		                             ? "did not stand still"
		                             : "stood still for " + std::to_string(still.count()) + " ms";
		std::fprintf(stderr, "failed: %s; the machine %s\n", name_.c_str(), halt.c_str());
	}

  private:
	machine::StallWatch stalls_;
	machine::Nanoseconds begin_{};
	std::string name_;
};
CATCH_REGISTER_LISTENER(NameFailures)

} // namespace

int main(int argument_count, char** arguments) {
	try {
		std::signal(SIGPIPE, SIG_IGN);
		runtime::enter_private_network();
		const int failures = Catch::Session().run(argument_count, arguments);
		if (!runtime::watch_is_running()) { // --list-tests and its like
			return failures;
		}
		const bool good = check_the_whole_stream();
		std::fprintf(stderr, "the whole stream: %s\n", good ? "good" : "faulty");
		return good ? failures : 1;
	} catch (const std::exception& error) {
		std::fprintf(stderr, "stalesock-runtime-tests: %s\n", error.what());
		return 1;
	}
}
