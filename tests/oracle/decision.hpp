// SPDX-License-Identifier: Apache-2.0
// What a disagreement comes to, once its connection was made again, alone.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace oracle {

/// So often a connection that disagreed is made again.
inline constexpr unsigned times_tried = 5;
/// More connections than that do not disagree by chance.
inline constexpr std::size_t most_tried = 10;

/// How one of these times ended for one disagreement.
enum class Again : std::uint8_t {
	agreed,
	came_back, ///< the same verdict of the same socket, wrong in the same way
	changed,   ///< the connection disagrees, in another way
	undecided, ///< this time the packets do not tell
	disturbed, ///< it disagrees in another way, and the machine stood still at that moment: another chance, which tells nothing
	spoiled, ///< a packet was lost, the connection was not made, or the program under test did not end well
};
[[nodiscard]] std::string to_string(Again again);

/// Of the run in which the disagreement was seen.
struct Circumstances {
	std::chrono::milliseconds
		stood_still{};           ///< the machine, while the connection lived; 0: it did not
	bool rests_on_timer = false; ///< see Score::unseen
	/// The program under test said nothing, and admits that the kernel skipped runs of its BPF programs; only where that
	/// is expected (Options::skips).
	bool skip_admitted = false;
};

struct Decision {
	bool fails = true;
	std::string reason;
};

/// Chance is no defect, but only what explains it makes it chance: all of the times must have gone well, at least one
/// must have been decided, none may disagree, and the machine must have stood still at that moment. A timer that was not
/// seen has another explanation, so the machine need not have stood still; how many are forgiven is the judgement's. So
/// has a program that the kernel skipped.
[[nodiscard]] Decision decide(const std::vector<Again>& times, const Circumstances& then);

} // namespace oracle
