// SPDX-License-Identifier: Apache-2.0
// From everything that was seen to pass or fail.
#pragma once

#include "options.hpp"
#include "run.hpp"
#include "watcher.hpp"

#include <string>
#include <vector>

namespace oracle {

struct Evidence {
	std::vector<Finished> finished;
	Views views;
	Transcript transcript;
	std::vector<std::string> captures; ///< files with the packets
	std::uint64_t lost_packets = 0;    ///< by a capture or the relay
	Stalls stalls;
};

struct Judgement {
	std::string table;
	std::string first_stories; ///< of the first disagreements
	std::string all_stories;
	std::string cross_table;             ///< behaviours against truths
	std::vector<std::string> complaints; ///< why the test fails; empty when it passes
};

[[nodiscard]] Judgement judge(Evidence evidence, const Options& options);

} // namespace oracle
