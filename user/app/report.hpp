// SPDX-License-Identifier: Apache-2.0
// What the program says about itself, on standard error.
#pragma once

#include "app/pipeline.hpp"
#include "probe/probe.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// "stalesock: ..." on standard error, at once.
void report(std::string_view line);

/// What is not known because no hook serves a need: one sentence for each.
[[nodiscard]] std::vector<std::string> hook_gaps(const std::vector<HookReport>& hooks);

/// What every output begins with, once the hooks are attached.
[[nodiscard]] Started started_by(const Probe& probe);

/// "events: 12 seen, 0 lost ...".
[[nodiscard]] std::string event_line(const ProbeCounters& counters, const Lost& lost);

/// Everything the end of `watch` has to account for.
struct Summary {
	std::string stopped_by; ///< "SIGINT", "--duration", ...
	Nanoseconds duration{};
	ProbeCounters probe;
	EngineCounters engine;
	PipelineCounters pipeline;
	std::uint64_t lines_discarded = 0; ///< the reader of standard output was too slow
};
[[nodiscard]] std::vector<std::string> summary_lines(const Summary& summary);

} // namespace stalesock
