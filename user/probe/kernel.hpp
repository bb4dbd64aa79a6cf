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
	bool ptrace = false;    ///< CAP_SYS_PTRACE

	/// Other processes' network namespaces can be found and entered.
	[[nodiscard]] bool may_enter_namespaces() const { return sys_admin && ptrace; }
};

/// As uname tells; empty if it cannot.
struct KernelName {
	std::string release; ///< uname -r
	std::string machine; ///< uname -m
};

[[nodiscard]] KernelName kernel_name();

/// Effective capabilities of this process.
[[nodiscard]] Capabilities effective_capabilities();

/// What stops us altogether: one sentence each, naming what is missing and what to do.
[[nodiscard]] std::vector<std::string> find_problems();

} // namespace stalesock
