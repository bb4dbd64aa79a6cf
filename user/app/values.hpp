// SPDX-License-Identifier: Apache-2.0
// Option values from text. Each throws std::invalid_argument that quotes the text and says what was
// expected.
#pragma once

#include "app/peer_order.hpp"
#include "model/columns.hpp"
#include "model/endpoint.hpp"
#include "model/group.hpp"
#include "model/row_filter.hpp"
#include "probe/probe.hpp"
#include "verdict/verdict.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// Seconds, more than 0, possibly with a fraction: "2.5".
[[nodiscard]] std::chrono::microseconds read_duration(std::string_view text);

/// Seconds from 0.1 to 3600.
[[nodiscard]] std::chrono::microseconds read_scan_interval(std::string_view text);

/// Seconds, from 0.1 to 86400: from when on a connection waits for too long.
[[nodiscard]] Nanoseconds read_waiting_limit(std::string_view text);

/// Bytes, with K, M or G for the powers of 1024: "512K". A power of two the probe accepts.
[[nodiscard]] std::uint32_t read_ring_size(std::string_view text);

/// Bytes as above, from 64K to 1G.
[[nodiscard]] std::size_t read_queue_size(std::string_view text);
/// Bytes as above, from 64K; 0 for no limit.
[[nodiscard]] std::uint64_t read_file_size(std::string_view text);
/// From 1 to 1000.
[[nodiscard]] unsigned read_file_count(std::string_view text);

[[nodiscard]] std::size_t read_connection_limit(std::string_view text);
[[nodiscard]] std::size_t read_peer_limit(std::string_view text);
[[nodiscard]] std::uint16_t read_port(std::string_view text);
[[nodiscard]] std::int32_t read_pid(std::string_view text);
[[nodiscard]] Endpoint read_remote(std::string_view text);

/// "10.0.0.7:8080" or only the address; port 0 stands for any.
[[nodiscard]] Endpoint read_remote_or_address(std::string_view text);
[[nodiscard]] PeerOrder read_peer_order(std::string_view text);
[[nodiscard]] VerdictKind read_verdict_kind(std::string_view text);
[[nodiscard]] Severity read_severity(std::string_view text);
[[nodiscard]] HookChoice read_hook_choice(std::string_view text);

/// Verdicts of a kind in a minute; 0: without end.
[[nodiscard]] std::uint32_t read_collapse(std::string_view text);

/// Columns of a diagram.
[[nodiscard]] std::size_t read_width(std::string_view text);

/// Of a verdict, or of its connection: "3d2d66e-2", "3d2d66e".
[[nodiscard]] std::string read_verdict_id(std::string_view text);

/// Not empty.
[[nodiscard]] std::string read_path(std::string_view text);

/// TCP states separated by commas, as a mask: see RowFilter::states.
[[nodiscard]] std::uint32_t read_states(std::string_view text);
[[nodiscard]] EndpointPattern read_endpoint_pattern(std::string_view text);
[[nodiscard]] Role read_role(std::string_view text);
[[nodiscard]] GroupBy read_group_by(std::string_view text);
[[nodiscard]] const Column* read_column(std::string_view text);
/// Names separated by commas, or "all".
[[nodiscard]] std::vector<const Column*> read_columns(std::string_view text);

/// "nginx" stands for "nginx.service".
[[nodiscard]] std::string read_unit(std::string_view text);

/// The inode number of "self", of a path such as /run/netns/blue, or itself.
[[nodiscard]] std::uint32_t read_network_namespace(std::string_view text);

} // namespace stalesock
