// SPDX-License-Identifier: Apache-2.0
// From options to loaded programs: the best this kernel accepts, and why not more.
#pragma once

#include "probe/hooks.hpp"

#include <cstdint>
#include <vector>

namespace stalesock {

struct LoadedHooks {
	std::vector<HookReport> reports;
	Skeleton skeleton; ///< loaded, not attached
};

/// Throws KernelRefusal when a required program is refused, or all of what was asked for.
[[nodiscard]] LoadedHooks load_hooks(const ProbeOptions& options);

/// What is counted in jiffies, whose length is only known once the programs are loaded.
void configure_ages(stalesock_bpf& skeleton, const ProbeOptions& options, Nanoseconds tick);

/// How often a program did not run because it was running on that CPU already.
struct MissedRuns {
	std::uint64_t lost = 0; ///< nobody else took what it was for
	std::uint64_t all = 0;
};
[[nodiscard]] MissedRuns missed_runs(const stalesock_bpf& skeleton);

} // namespace stalesock
