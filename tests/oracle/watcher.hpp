// SPDX-License-Identifier: Apache-2.0
// The program under test: `stalesock watch --json` as a child process.
#pragma once

#include "truth.hpp"

#include <sys/types.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

namespace oracle {

struct Report {
	Ends ends;
	std::string kind; ///< as printed: newer versions may know more kinds than we do
	std::string role;
	std::string confidence; ///< of a verdict
	Nanoseconds time{};     ///< since the epoch
	std::string line;       ///< the whole object
};

/// Everything the child said.
struct Transcript {
	std::vector<Report> verdicts;
	std::map<Ends, std::vector<Report>> events; ///< only with --events
	std::vector<std::string> losses;            ///< records that admit lost events
	std::uint64_t skipped_runs = 0; ///< of its BPF programs, by the kernel, as it admits
	std::string output;             ///< its stdout, as it was
	std::string errors;             ///< its stderr
	int exit_code = -1;
};

class Watcher {
  public:
	/// Starts the program in our network namespace and waits until it is watching. Throws
	/// std::runtime_error with what it said instead.
	Watcher(const std::string& program, bool events);
	~Watcher();
	Watcher(const Watcher&) = delete;
	Watcher& operator=(const Watcher&) = delete;

	/// Interrupts it and waits for its end.
	[[nodiscard]] Transcript stop();

  private:
	void start(const std::string& program, bool events, int output, int errors);
	void wait_until_watching();
	int reap();

	pid_t child_ = -1;
	std::string output_;
	std::string errors_;
	int error_pipe_ = -1;
	std::thread output_reader_;
};

} // namespace oracle
