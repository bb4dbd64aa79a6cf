// SPDX-License-Identifier: Apache-2.0
#include "app/report.hpp"

#include "app/version.hpp"
#include "probe/kernel.hpp"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <numeric>

namespace stalesock {

namespace {

std::string verdict_line(const PipelineCounters& counters) {
	const auto& verdicts = counters.verdicts;
	const auto total = std::accumulate(verdicts.begin(), verdicts.end(), std::uint64_t{0});
	std::vector<std::string> kinds;
	for (std::size_t i = 0; i < verdicts.size(); ++i) {
		if (verdicts.at(i) != 0) {
			kinds.push_back(
				fmt::format("{} {}", to_string(static_cast<VerdictKind>(i)), verdicts.at(i)));
		}
	}
	std::string line = fmt::format("verdicts: {}", total);
	if (!kinds.empty()) {
		line += fmt::format(" ({})", fmt::join(kinds, ", "));
	}
	if (counters.collapsed != 0) {
		line += fmt::format(", {} of them collapsed", counters.collapsed);
	}
	if (counters.filtered != 0) {
		line += fmt::format(", {} more filtered out", counters.filtered);
	}
	return line;
}

} // namespace

void report(std::string_view line) {
	const std::string text = fmt::format("stalesock: {}\n", line);
	std::fwrite(text.data(), 1, text.size(), stderr);
}

std::vector<std::string> hook_gaps(const std::vector<HookReport>& hooks) {
	std::vector<std::string> gaps;
	std::vector<Need> told;
	for (const HookReport& hook : hooks) {
		const bool served = std::any_of(hooks.begin(), hooks.end(), [&](const HookReport& other) {
			return other.need == hook.need && other.chosen;
		});
		const bool first = std::find(told.begin(), told.end(), hook.need) == told.end();
		if (hook.consequence.empty() || !first || served != hook.chosen) {
			continue;
		}
		told.push_back(hook.need);
		gaps.push_back(hook.chosen
		                   ? fmt::format("{} ({})", hook.consequence, hook.hook)
		                   : fmt::format("{} ({}: {})", hook.consequence, hook.hook, hook.detail));
	}
	return gaps;
}

Started started_by(const Probe& probe) {
	return {std::string{version}, kernel_name().release, probe.hook_class(),
	        hook_gaps(probe.hooks())};
}

std::string event_line(const ProbeCounters& counters, const Lost& lost) {
	std::string line =
		fmt::format("events: {} seen, {} lost ({} dropped, {} missed, {} inferred), {} malformed",
	                counters.events, lost.total(), lost.dropped, lost.missed, lost.inferred,
	                counters.malformed);
	if (counters.mptcp_skipped != 0) {
		line += fmt::format(", {} of MPTCP left out", counters.mptcp_skipped);
	}
	return line;
}

std::vector<std::string> summary_lines(const Summary& summary) {
	const double seconds = static_cast<double>(summary.duration.count()) / 1e9;
	std::vector<std::string> lines{
		fmt::format("stopped after {:.1f} s ({})", seconds, summary.stopped_by),
		verdict_line(summary.pipeline),
		event_line(summary.probe,
	               {summary.probe.dropped, summary.probe.missed, summary.engine.inferred}),
		fmt::format("connections: {} tracked, {} evicted", summary.engine.opened,
	                summary.engine.evicted),
	};
	if (summary.engine.peers_evicted != 0) {
		lines.push_back(fmt::format("servers: {} known, {} evicted", summary.engine.peers,
		                            summary.engine.peers_evicted));
	}
	if (summary.lines_discarded != 0) {
		lines.push_back(fmt::format("output: {} lines discarded, the reader was too slow",
		                            summary.lines_discarded));
	}
	return lines;
}

} // namespace stalesock
