// SPDX-License-Identifier: Apache-2.0
// What there is to hook: the needs, and the programs that can serve each.
#pragma once

#include "probe/probe.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace stalesock {

enum class Mechanism : std::uint8_t { tracepoint, trampoline, iterator };

/// One program that can serve a need. When more than one can, the first in the table that this
/// kernel accepts is chosen, and only that one is loaded.
struct Candidate {
	Need need;
	Mechanism mechanism;
	std::string_view program; ///< its name in bpf/stalesock.bpf.c
	std::string_view hook;    ///< as reports name it
	std::string_view target; ///< of a tracepoint or trampoline: its name in BTF; of iterators empty
	/// Of a trampoline that reads the function's result, which lies behind its parameters: how many there must be.
	/// 0: any number.
	std::uint32_t parameters = 0;
	/// What stays unknown although this program serves its need; empty: nothing.
	std::string_view weakness{};
};

[[nodiscard]] std::span<const Candidate> candidates();

/// Nothing works without it.
[[nodiscard]] bool is_required(Need need);

/// What is not known while nothing serves the need; may be empty.
[[nodiscard]] std::string_view consequence_of(Need need);

/// "tcp: Fold do_tcp_sendpages() into tcp_sendpage_locked()" (6.5): from then on sendfile and splice send
/// messages like everybody, and there is nothing to hook.
[[nodiscard]] bool is_moot_without_target(Need need);

/// Sends and receives: what HookChoice is about.
[[nodiscard]] bool is_about_traffic(Need need);

} // namespace stalesock
