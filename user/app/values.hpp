// SPDX-License-Identifier: Apache-2.0
// Option values from text. Each throws std::invalid_argument that quotes the text and says what was
// expected.
#pragma once

#include "model/endpoint.hpp"
#include "probe/probe.hpp"
#include "verdict/verdict.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stalesock {

/// Seconds, more than 0, possibly with a fraction: "2.5".
[[nodiscard]] std::chrono::microseconds read_duration(std::string_view text);

/// Seconds from 0.1 to 3600.
[[nodiscard]] std::chrono::microseconds read_scan_interval(std::string_view text);

/// Bytes, with K, M or G for the powers of 1024: "512K". A power of two the probe accepts.
[[nodiscard]] std::uint32_t read_ring_size(std::string_view text);

[[nodiscard]] std::size_t read_connection_limit(std::string_view text);
[[nodiscard]] std::uint16_t read_port(std::string_view text);
[[nodiscard]] std::int32_t read_pid(std::string_view text);
[[nodiscard]] Endpoint read_remote(std::string_view text);
[[nodiscard]] VerdictKind read_verdict_kind(std::string_view text);
[[nodiscard]] Severity read_severity(std::string_view text);
[[nodiscard]] HookChoice read_hook_choice(std::string_view text);

/// "nginx" stands for "nginx.service".
[[nodiscard]] std::string read_unit(std::string_view text);

/// The inode number of "self", of a path such as /run/netns/blue, or itself.
[[nodiscard]] std::uint32_t read_network_namespace(std::string_view text);

} // namespace stalesock
