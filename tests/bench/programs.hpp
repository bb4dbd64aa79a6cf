// SPDX-License-Identifier: Apache-2.0
// BPF programs of a process and what bpf_stats says about them.
#pragma once

#include "child.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bench {

struct ProgramRuns {
	std::uint64_t runs = 0;
	std::uint64_t nanoseconds = 0;

	[[nodiscard]] double each() const {
		return runs == 0 ? 0 : static_cast<double>(nanoseconds) / static_cast<double>(runs);
	}
};
ProgramRuns operator-(const ProgramRuns& after, const ProgramRuns& before);

using RunsByName = std::map<std::string, ProgramRuns>;

/// Keeps bpf_stats on for its life (BPF_ENABLE_STATS).
class StatsSwitch {
  public:
	StatsSwitch();

  private:
	Descriptor descriptor_;
};

/// The programs a process holds a descriptor of, by name.
[[nodiscard]] RunsByName runs_of(pid_t pid);

/// Runs of `after` that are not in `before`, programs that did not run left out.
[[nodiscard]] RunsByName difference(const RunsByName& after, const RunsByName& before);

/// Notices tracing programs of other processes: they run in our workload too.
class Quiet {
  public:
	/// The programs of these processes are expected.
	explicit Quiet(std::vector<pid_t> expected);
	/// Whether no other program was there at the start, came or went.
	[[nodiscard]] bool undisturbed() const;

  private:
	std::vector<pid_t> expected_;
	std::uint32_t next_id_ = 0;
	bool quiet_at_start_ = false;
};

} // namespace bench
