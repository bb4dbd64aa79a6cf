// SPDX-License-Identifier: Apache-2.0
// Thousands of connections that nobody scripted one by one, their truth taken from a packet capture,
// against the verdicts of `stalesock watch`.
#include "capture.hpp"
#include "judgement.hpp"
#include "options.hpp"
#include "relay.hpp"
#include "run.hpp"
#include "stalls.hpp"
#include "watcher.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace oracle {

namespace {

/// Verdicts that wait for more evidence are settled by then.
constexpr std::chrono::milliseconds settling_time{1500};

std::string file_in(const std::string& folder, const char* name) {
	return folder.empty() ? std::string() : folder + "/" + name;
}

/// Where captures go: the folder that was asked for, or one that does not outlive the run.
class CaptureFolder {
  public:
	explicit CaptureFolder(const Options& options) : path_(options.folder) {
		if (!path_.empty())
			return;
		path_ = std::filesystem::temp_directory_path() / "stalesock-oracle-XXXXXX";
		if (::mkdtemp(path_.data()) == nullptr)
			throw SystemFailure("mkdtemp");
		temporary_ = true;
	}
	~CaptureFolder() {
		std::error_code ignored;
		if (temporary_)
			std::filesystem::remove_all(path_, ignored);
	}
	CaptureFolder(const CaptureFolder&) = delete;
	CaptureFolder& operator=(const CaptureFolder&) = delete;

	[[nodiscard]] std::string loopback() const { return path_ + "/loopback.pcap"; }
	[[nodiscard]] std::string relayed() const { return path_ + "/relayed.pcap"; }

  private:
	std::string path_;
	bool temporary_ = false;
};

Evidence collect(const Options& options, const CaptureFolder& folder) {
	enter_private_network();
	Relay relay(set_up_devices());
	std::optional<Watcher> watcher;
	if (options.with_product)
		watcher.emplace(options.program, options.events);
	Capture loopback(loopback_name, folder.loopback());
	Capture tunnel(tunnel_name, folder.relayed());

	Evidence evidence;
	StallWatch stall_watch;
	evidence.finished = run_connections(relay, options.seed, options.connections, options.jobs);
	std::this_thread::sleep_for(settling_time);
	evidence.stalls = stall_watch.stop();
	loopback.stop();
	tunnel.stop();
	if (watcher)
		evidence.transcript = watcher->stop();
	evidence.captures = {folder.loopback(), folder.relayed()};
	evidence.lost_packets = loopback.dropped() + tunnel.dropped() + relay.refused();
	add_views(evidence.views, loopback.packets());
	add_views(evidence.views, tunnel.packets());
	return evidence;
}

void save(const Options& options, const Judgement& judgement) {
	if (options.folder.empty())
		return;
	std::ofstream(file_in(options.folder, "stories.txt")) << judgement.all_stories;
	std::ofstream(file_in(options.folder, "table.txt")) << judgement.table;
	std::ofstream(file_in(options.folder, "behaviours.txt")) << judgement.cross_table;
}

int run(const Options& options) {
	std::printf("oracle: seed %llu, %u connections, %u at a time\n",
	            static_cast<unsigned long long>(options.seed), options.connections, options.jobs);
	std::fflush(stdout);
	const auto start = std::chrono::steady_clock::now();
	const CaptureFolder folder(options);
	Evidence evidence = collect(options, folder);
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
	const Judgement judgement = judge(std::move(evidence), options);
	save(options, judgement);
	std::fputs(judgement.table.c_str(), stdout);
	std::fputs(judgement.first_stories.c_str(), stdout); // last: of a log, only the end may be kept
	for (const std::string& complaint : judgement.complaints)
		std::printf("oracle: FAILED: %s\n", complaint.c_str());
	std::printf("oracle: %s in %.1f s; the seed was %llu\n",
	            judgement.complaints.empty() ? "passed" : "failed", took.count(),
	            static_cast<unsigned long long>(options.seed));
	return judgement.complaints.empty() ? 0 : 1;
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
