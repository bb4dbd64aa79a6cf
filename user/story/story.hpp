// SPDX-License-Identifier: Apache-2.0
// A verdict's connection as steps between two ends, ready to be drawn. Pure: no clock, no I/O.
#pragma once

#include "story/history.hpp"
#include "verdict/verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

enum class StepKind : std::uint8_t {
	outbound, ///< a segment from the local end
	inbound,  ///< a segment to it
	local,    ///< something the local end did or found, nothing on the wire
	idle,     ///< nothing was sent or received
	wait,     ///< time between two steps; what else happened in it is not drawn
};

struct Step {
	StepKind kind = StepKind::local;
	std::optional<Nanoseconds> at; ///< since Story::origin; of idle and wait, their beginning
	std::string text;              ///< safe to print
	bool inferred = false;         ///< from the socket's counters or the evidence: no event told it
	bool subject = false;          ///< what the verdict is about; one step of a story
};

/// Every text is safe to print. Empty texts are unknown.
struct Story {
	std::string id;
	std::string when; ///< the time of the verdict as the caller writes it
	std::string verdict;
	Severity severity = Severity::info;
	std::string confidence; ///< "certain", "likely: the time of the FIN"
	std::string owner;      ///< "nginx (pid 812)"
	std::string local;      ///< endpoint
	std::string remote;
	std::string origin; ///< what the offsets count from: "the peer's FIN"
	std::vector<Step> steps;
	std::string message;
	std::string learned; ///< what is known of the server's timeout
	std::string advice;
};

/// From the verdict's evidence, and from what was kept of the events, if anything: an event goes before what
/// can be inferred, and what is not known is not told.
[[nodiscard]] Story tell(const Verdict& verdict, const ConnectionHistory* history);

/// "stale_reuse (error), 3d2d66e-2, 2026-11-21T02:40:00.123456Z"
[[nodiscard]] std::string headline_of(const Story& story);

/// What the offsets count from, and what "~" stands for where the story has one.
[[nodiscard]] std::string legend_of(const Story& story);

} // namespace stalesock
