// SPDX-License-Identifier: Apache-2.0
// Network namespaces by inode number, as the kernel's events name them.
#pragma once

#include <cstdint>
#include <string>

namespace stalesock {

/// Throws std::invalid_argument when the path is not one.
[[nodiscard]] std::uint32_t network_namespace_at(const std::string& path);

/// Moves this thread into a new network namespace and brings its loopback interface up. Throws
/// KernelRefusal.
void enter_private_network_namespace();

} // namespace stalesock
