// SPDX-License-Identifier: Apache-2.0
// Thousands of connections that nobody scripted one by one, their truth taken from a packet capture,
// against the verdicts of `stalesock watch`.
#include "judgement.hpp"
#include "options.hpp"
#include "repetition.hpp"
#include "stage.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>

namespace oracle {

namespace {

/// The folder that was asked for, or one that does not outlive the run unless there is something to look at.
class ResultFolder {
  public:
	explicit ResultFolder(const std::string& wanted) : path_(wanted) {
		if (!path_.empty()) {
			std::filesystem::create_directories(path_);
			std::filesystem::remove_all(again()); // of an earlier run
			return;
		}
		path_ = std::filesystem::temp_directory_path() / "stalesock-oracle-XXXXXX";
		if (::mkdtemp(path_.data()) == nullptr)
			throw SystemFailure("mkdtemp");
		temporary_ = true;
	}
	~ResultFolder() {
		std::error_code ignored;
		if (temporary_)
			std::filesystem::remove_all(path_, ignored);
	}
	ResultFolder(const ResultFolder&) = delete;
	ResultFolder& operator=(const ResultFolder&) = delete;

	[[nodiscard]] const std::string& path() const { return path_; }
	/// Of the repetitions.
	[[nodiscard]] std::string again() const { return path_ + "/again"; }
	void keep() { temporary_ = false; }

  private:
	std::string path_;
	bool temporary_ = false;
};

/// Stories come after the table, and what was tried again comes last: of a log, only the end may be kept.
bool run_all(const Options& options, ResultFolder& folder) {
	std::vector<unsigned> indices(options.connections);
	std::iota(indices.begin(), indices.end(), 0);
	Evidence evidence = collect(options, indices, options.jobs, folder.path());
	Judgement judgement = judge(std::move(evidence), options, Extent::whole_run);
	save(judgement, folder.path());
	std::fputs(judgement.table.c_str(), stdout);
	std::fputs(judgement.first_stories.c_str(), stdout);
	std::fflush(stdout);
	const Trial trial = try_again(options, judgement.disagreements, folder.again());
	std::fputs(trial.summary.c_str(), stdout);
	if (!judgement.disagreements.empty()) {
		folder.keep();
		std::printf("kept in %s\n", folder.path().c_str());
	}
	for (const auto& complaints : {judgement.complaints, trial.complaints}) {
		for (const std::string& complaint : complaints)
			std::printf("oracle: FAILED: %s\n", complaint.c_str());
	}
	return judgement.complaints.empty() && trial.complaints.empty();
}

int run(const Options& options) {
	const auto seed = static_cast<unsigned long long>(options.seed);
	const auto start = std::chrono::steady_clock::now();
	ResultFolder folder(options.folder);
	if (options.skips)
		std::printf("oracle: the kernel is expected to skip runs of BPF programs\n");
	bool passed = false;
	if (options.only) {
		std::printf("oracle: seed %llu, connection %u, %u times\n", seed, *options.only,
		            options.times);
		folder.keep();
		passed = make_only(options, folder.again()) == 0;
		std::printf("kept in %s\n", folder.again().c_str());
	} else {
		std::printf("oracle: seed %llu, %u connections, %u at a time\n", seed, options.connections,
		            options.jobs);
		std::fflush(stdout);
		passed = run_all(options, folder);
	}
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
	std::printf("oracle: %s in %.1f s; the seed was %llu\n", passed ? "passed" : "failed",
	            took.count(), seed);
	return passed ? 0 : 1;
}

} // namespace

} // namespace oracle

int main(int argc, char** argv) {
	try {
		const std::optional<oracle::Options> options = oracle::parse_options(argc, argv);
		return options ? oracle::run(*options) : 2;
	} catch (const std::exception& exception) {
		std::fprintf(stderr, "oracle: %s\n", exception.what());
		return 1;
	}
}
