// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace oracle {

struct Options {
	unsigned connections = 2400;
	unsigned jobs = 100;
	std::uint64_t seed = 0;
	std::string program;
	std::string folder; ///< empty: kept only where something disagreed
	std::string tell;   ///< also tell the stories of sockets whose behaviour and truth contain this
	std::optional<unsigned> only; ///< this connection alone, in place of a run
	unsigned times = 5;           ///< how often that one is made
	double most_unscored = 2; ///< percent: with more undecidable sockets the machine is too slow
	/// The kernel is known to skip runs of BPF programs: a verdict that is missing once is excused, where stalesock admits it.
	bool skips = false;
	bool weak = false;        ///< the hooks do not see writes: any verdict may be an admitted guess
	bool events = false;      ///< the raw stream too, for the stories
	bool with_product = true; ///< false: only count what the capture says
};

/// Nothing after --help or a wrong option, which is printed. Without --seed one is drawn.
[[nodiscard]] std::optional<Options> parse_options(int argc, char** argv);

} // namespace oracle
