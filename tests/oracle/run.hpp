// SPDX-License-Identifier: Apache-2.0
// All connections of a run, many at a time.
#pragma once

#include "connection.hpp"
#include "relay.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace oracle {

/// Connection `index` is made from this client port.
inline constexpr std::uint16_t first_client_port = 10'000;
/// Listeners get their ports from above all of these.
inline constexpr unsigned most_connections = 20'000;

struct Finished {
	Plan plan;
	Outcome outcome;
};

/// By their indices.
using AllFinished = std::map<unsigned, Finished>;

/// Begins the connections with these indices in their order, so many at a time.
[[nodiscard]] AllFinished run_connections(Relay& relay, std::uint64_t seed,
                                          const std::vector<unsigned>& indices, unsigned jobs);

} // namespace oracle
