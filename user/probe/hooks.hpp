// SPDX-License-Identifier: Apache-2.0
// The capability layer: which program can serve which need, found by trying.
#pragma once

#include "probe/probe.hpp"
#include "probe/skeleton.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// One program that can serve a need. When more than one can, the first in the table that this
/// kernel accepts is chosen, and only that one is loaded.
struct Candidate {
	Need need;
	std::string_view program;     ///< its name in bpf/stalesock.bpf.c
	std::string_view hook;        ///< as reports name it
	std::string_view trace_point; ///< BTF has btf_trace_<this>; empty for iterators
	bool required;
	std::string_view consequence; ///< what is not known without it
};

[[nodiscard]] std::span<const Candidate> candidates();

/// Opens the skeleton with every program switched off. Throws KernelRefusal.
[[nodiscard]] Skeleton open_skeleton();

/// Switches one program on. False when the object has no such program.
bool enable(const stalesock_bpf& skeleton, std::string_view program);

/// Loads and attaches one candidate by itself. Empty when that works, otherwise why not.
[[nodiscard]] std::string try_candidate(const Candidate& candidate);

/// Which candidates exist in this kernel's BTF: one report each, in the order of the table, chosen where
/// it serves its need. Loads nothing.
[[nodiscard]] std::vector<HookReport> survey();

/// The same, but each existing candidate is loaded and attached once.
[[nodiscard]] std::vector<HookReport> survey_by_trying();

/// "tracepoint" where a program before the send and one after it are tracepoints; "none" without
/// either; empty when a required need is not served.
[[nodiscard]] std::string hook_class_of(std::span<const HookReport> reports);

/// Plain words for an errno that the bpf system call gave.
[[nodiscard]] std::string explain_error(int error);

} // namespace stalesock
