// SPDX-License-Identifier: Apache-2.0
// The network namespaces that have processes, and a way to act inside one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stalesock {

struct NetworkNamespace {
	std::uint32_t inode = 0;
	std::string path; ///< /proc/PID/ns/net of one of its processes
};

/// Inode number of the one this thread is in; 0 when /proc does not tell.
[[nodiscard]] std::uint32_t own_network_namespace();

/// Ours first, then the others, each once; or only the one with inode number `wanted`, if any process is there.
/// Processes that vanish meanwhile are skipped.
[[nodiscard]] std::vector<NetworkNamespace> find_network_namespaces(std::uint32_t wanted = 0);

/// Runs `action` inside the namespace and comes back. Empty when that worked, otherwise why the
/// namespace could not be entered; then `action` did not run.
[[nodiscard]] std::string run_inside(const NetworkNamespace& place,
                                     const std::function<void()>& action);

} // namespace stalesock
