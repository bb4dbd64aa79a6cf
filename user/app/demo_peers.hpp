// SPDX-License-Identifier: Apache-2.0
// The two ends of the demonstration: a server that closes idle connections and a client with a
// pooled connection. They know nothing of stalesock.
#pragma once

#include "probe/descriptor.hpp"

#include <chrono>
#include <cstdint>

namespace stalesock {

inline constexpr std::uint16_t demo_port = 8080;
inline constexpr std::chrono::milliseconds demo_server_idle{1000};
inline constexpr std::chrono::milliseconds demo_client_idle{1500};

/// Listens on 127.0.0.1:demo_port. Throws std::system_error.
[[nodiscard]] Descriptor listen_for_demo();

/// Both wait for the first byte (or the end) of `start`, and return an exit code.
[[nodiscard]] int serve_one_connection(int listener, int start);
[[nodiscard]] int reuse_a_connection(int start);

} // namespace stalesock
