// SPDX-License-Identifier: Apache-2.0
// Child processes: programs with their output captured, and forks that run a function.
#pragma once

#include "support/clock.hpp"
#include "support/descriptor.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace runtime {

using Arguments = std::vector<std::string>;

/// How a child ended: its exit code, or minus the signal that killed it.
using ExitCode = int;

/// Waits for the child; kills it and throws when it does not end in time.
ExitCode wait_for_exit(pid_t pid, milliseconds limit = patience);

/// A running program with standard output and standard error in pipes. Killed at the end of its
/// life if it still runs.
class Process {
  public:
	/// With a path, standard output goes there instead.
	explicit Process(const Arguments& arguments, const std::string& output_path = {});
	~Process();
	Process(const Process&) = delete;
	Process& operator=(const Process&) = delete;

	[[nodiscard]] pid_t pid() const { return pid_; }
	void signal(int number) const;
	/// Closes our end of its standard output: its next write there fails with EPIPE.
	void close_output() { output_.close(); }
	/// Collects what it has written; waits at most this long for something new.
	void read_available(milliseconds limit);
	/// Reads to the end of both streams and waits for the exit.
	ExitCode finish(milliseconds limit = patience);

	[[nodiscard]] const std::string& output() const { return output_text_; }
	[[nodiscard]] const std::string& errors() const { return error_text_; }

  private:
	pid_t pid_ = -1;
	Descriptor output_;
	Descriptor errors_;
	std::string output_text_;
	std::string error_text_;
};

struct Result {
	ExitCode code = 0;
	std::string output;
	std::string errors;
};

/// Runs a program to its end.
Result run(const Arguments& arguments, const std::string& output_path = {});

/// The program under test: $STALESOCK, by default build/stalesock.
std::string stalesock_path();

/// A forked copy of this process that runs a function and exits with its result; 99 after an
/// exception. Killed at the end of its life if it still runs.
class Fork {
  public:
	explicit Fork(const std::function<int()>& body);
	~Fork();
	Fork(const Fork&) = delete;
	Fork& operator=(const Fork&) = delete;

	[[nodiscard]] pid_t pid() const { return pid_; }
	ExitCode wait();

  private:
	pid_t pid_ = -1;
};

/// PR_SET_NAME of the calling thread.
void rename_thread(std::string_view name);

/// The comm of this process's group leader.
std::string own_command();

} // namespace runtime
