// SPDX-License-Identifier: Apache-2.0
// What is refused before anything is printed. The rest needs a process: tests/golden/recordings/check.sh.
#include "app/replay.hpp"

#include "app/options.hpp"
#include "app/record.hpp"
#include "support/scratch.hpp"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace stalesock::test {

namespace {

using matchers::Contains;

std::string complaint(const std::string& path) {
	ReplayConfig config;
	config.file = path;
	try {
		static_cast<void>(run_replay(config));
		return {};
	} catch (const UsageError& error) {
		return error.what();
	}
}

} // namespace

TEST_CASE("what cannot be replayed is wrong usage, with its name and reason", "[app]") {
	const ScratchFolder folder;
	CHECK_THAT(complaint(folder.path()), Contains(folder.path() + ": is a directory"));
	CHECK_THAT(complaint(folder / "missing"), Contains("missing: No such file"));
	std::ofstream(folder / "empty").flush();
	CHECK_THAT(complaint(folder / "empty"), Contains("is empty"));
	std::ofstream(folder / "text") << "something else altogether";
	CHECK_THAT(complaint(folder / "text"), Contains("is not a recording"));
	CHECK_THAT(complaint(folder / "\x1b[31m"), Contains("\\x1b[31m: No such file"));
	if (geteuid() != 0) { // root may read anything
		REQUIRE(chmod((folder / "text").c_str(), 0) == 0);
		CHECK_THAT(complaint(folder / "text"), Contains("Permission denied"));
	}
}

TEST_CASE("an existing file is refused before anything is asked of the kernel", "[app]") {
	const ScratchFolder folder;
	std::ofstream(folder / "old") << "precious";
	RecordConfig config;
	config.file = folder / "old";
	CHECK_THROWS_AS(run_record(config), UsageError);
	config.file = folder.path();
	config.force = true;
	CHECK_THROWS_AS(run_record(config), UsageError);
}

} // namespace stalesock::test
