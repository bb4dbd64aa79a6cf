// SPDX-License-Identifier: Apache-2.0
// From everything that was seen to pass or fail.
#pragma once

#include "options.hpp"
#include "run.hpp"
#include "score.hpp"
#include "watcher.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace oracle {

struct Evidence {
	AllFinished finished;
	Views views;
	Transcript transcript;
	std::vector<std::string> captures; ///< files with the packets
	std::uint64_t lost_packets = 0;    ///< by a capture or the relay
	machine::Stalls stalls;
};

/// What the product said of one socket against what the packets, or replay, say. It is tried again.
struct Disagreement {
	Mismatch mismatch;
	unsigned connection = 0; ///< index of its plan
	bool active = false;     ///< which of its two sockets
	std::string plan;
	bool rests_on_timer = false; ///< see Score::unseen
	bool skip_admitted = false;  ///< see Circumstances
	std::chrono::milliseconds
		stood_still{}; ///< the machine, while the connection lived; 0: it did not
};

struct Judgement {
	std::string table;
	std::string first_stories; ///< of the first disagreements
	std::string all_stories;
	std::string cross_table; ///< behaviours against truths
	std::vector<Disagreement> disagreements;
	std::vector<std::string> complaints; ///< about the run as such: never tried again
	Sockets sockets;
};

/// A repetition shows few connections: what only many can show is not asked of it, and all of it is told.
enum class Extent : std::uint8_t { whole_run, repetition };

[[nodiscard]] Judgement judge(Evidence evidence, const Options& options, Extent extent);

/// The connections that connection `index` of a run depends on, itself among them, in order. One of a pool depends on
/// the whole pool: its siblings share its listener, and what the product has learned from their closes by then decides
/// how it judges the next one. Any other depends on nothing but its own plan.
[[nodiscard]] std::vector<unsigned> together_with(unsigned index, unsigned connections);

} // namespace oracle
