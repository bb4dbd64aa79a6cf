// SPDX-License-Identifier: Apache-2.0
// What can be said about kernel and privileges before anything is loaded.
#pragma once

#include <string>
#include <vector>

namespace stalesock {

struct Capabilities {
	bool bpf = false;       ///< CAP_BPF or CAP_SYS_ADMIN
	bool perfmon = false;   ///< CAP_PERFMON or CAP_SYS_ADMIN
	bool sys_admin = false; ///< CAP_SYS_ADMIN
};

/// Effective capabilities of this process.
[[nodiscard]] Capabilities effective_capabilities();

/// What stops us altogether: one sentence each, naming what is missing and what to do.
[[nodiscard]] std::vector<std::string> find_problems();

} // namespace stalesock
