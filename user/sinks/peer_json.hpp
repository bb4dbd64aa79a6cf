// SPDX-License-Identifier: Apache-2.0
// What was learned, one JSON object an endpoint; the contract is packaging/schema/peers.schema.json.
#pragma once

#include "sinks/sink.hpp"
#include "verdict/peer.hpp"

#include <string>

namespace stalesock {

/// `seen` is the wall time of last_seen.
[[nodiscard]] std::string json_line(const Peer& peer, WallTime seen);
[[nodiscard]] std::string json_line(const Listener& listener, WallTime seen);

} // namespace stalesock
