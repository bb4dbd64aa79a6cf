// SPDX-License-Identifier: Apache-2.0
// What every kernel must offer, and which Linux brought it: for the words of a refusal.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace stalesock {

struct LinuxVersion {
	unsigned major = 0;
	unsigned minor = 0;

	friend auto operator<=>(const LinuxVersion&, const LinuxVersion&) = default;
};

/// How the kernel is asked for it.
enum class Question : std::uint8_t {
	map_type,
	program_type,
	tracing_helper, ///< whether a tracing program may call it
	relocation,     ///< whether the kernel takes CO-RE relocations
};

struct Requirement {
	std::string_view name; ///< in the plural, as the subject of a sentence
	LinuxVersion since;
	Question question;
	std::uint32_t number = 0; ///< of the map type, program type or helper
};

/// Without any of these something of stalesock does not work at all, whatever hooks there are.
[[nodiscard]] std::span<const Requirement> requirements();

/// One line: which Linux is needed, and what is missing; of several the one that came last. Empty: nothing is.
[[nodiscard]] std::string name_too_old(std::span<const Requirement> missing);

/// The same for the running kernel. Only what it surely does not have counts: its version is not asked, and what
/// privileges or a filter of system calls forbid is not missing.
[[nodiscard]] std::string find_too_old();

/// Whether programs can be run on demand: no hook shows that, and nothing can be timed without.
[[nodiscard]] bool has_programs_on_demand();

/// Throws KernelRefusal: that the kernel is too old, if it is, and else with these words.
[[noreturn]] void refuse(const std::string& reason);

} // namespace stalesock
