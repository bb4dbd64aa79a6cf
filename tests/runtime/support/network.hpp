// SPDX-License-Identifier: Apache-2.0
// The private network namespace that every test runs in.
#pragma once

#include <string>

namespace runtime {

/// Moves this process to a new network namespace with its loopback up. Needs root.
void enter_private_network();

/// Brings an interface up; optionally with an IPv4 address and a /24 mask.
void bring_up(const std::string& interface, const std::string& address = {});

void write_setting(const std::string& path, const std::string& value);

} // namespace runtime
