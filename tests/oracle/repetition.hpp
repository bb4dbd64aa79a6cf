// SPDX-License-Identifier: Apache-2.0
// Makes connections again, alone: those that disagreed, and one that somebody asks for.
#pragma once

#include "judgement.hpp"

#include <string>
#include <vector>

namespace oracle {

struct Trial {
	std::string summary;                 ///< each disagreement, what became of it, and why
	std::vector<std::string> complaints; ///< those that fail
};

/// Each of them several times; nothing at all where they are too many for chance. What was captured is left in folders
/// below this one.
[[nodiscard]] Trial try_again(const Options& options,
                              const std::vector<Disagreement>& disagreements,
                              const std::string& folder);

/// Makes `options.only` as often as `options.times` says, and prints what it came to. How often it disagreed.
[[nodiscard]] unsigned make_only(const Options& options, const std::string& folder);

} // namespace oracle
