// SPDX-License-Identifier: Apache-2.0
// The capability layer: which program can serve which need, found by trying.
#pragma once

#include "probe/candidates.hpp"
#include "probe/skeleton.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// Opens the skeleton with every program switched off. Throws KernelRefusal.
[[nodiscard]] Skeleton open_skeleton();

/// Switches one program on. False when the object has no such program.
bool enable(const stalesock_bpf& skeleton, std::string_view program);

/// Why a candidate cannot be used; empty reason: it can.
struct Refusal {
	std::string reason;
	std::string log; ///< of libbpf and the verifier
};

/// Loads and attaches one candidate by itself.
[[nodiscard]] Refusal try_candidate(const Candidate& candidate);

/// Which candidates this kernel has: one report each, in the order of the table, chosen where it serves
/// its need. By their existence in BTF; trampolines, which may exist and still be refused, by trying.
[[nodiscard]] std::vector<HookReport> survey(HookChoice choice);

/// The same, but each existing candidate is loaded and attached once.
[[nodiscard]] std::vector<HookReport> survey_by_trying(HookChoice choice);

/// The candidate in use for a need; null: none.
[[nodiscard]] const Candidate* chosen_for(Need need, std::span<const HookReport> reports);

/// A forced choice that this kernel cannot fulfil is an error, not a weaker class: what is missing; empty: nothing.
[[nodiscard]] std::string name_missing_choice(HookChoice choice, std::span<const HookReport> hooks);

/// How late writes are seen: "tracepoint", "trampoline" where a program before or after the send is one,
/// "none" without either; empty when a required need is not served.
[[nodiscard]] std::string hook_class_of(std::span<const HookReport> reports);

/// Plain words for an errno that the bpf system call gave.
[[nodiscard]] std::string explain_error(int error);

} // namespace stalesock
