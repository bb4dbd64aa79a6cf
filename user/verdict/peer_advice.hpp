// SPDX-License-Identifier: Apache-2.0
// What to do about what was learned of an endpoint.
#pragma once

#include "verdict/peer.hpp"

#include <string>

namespace stalesock {

/// For whoever runs the clients on this host; sentences separated by "; ". Empty while nothing is learned.
[[nodiscard]] std::string advice_for(const Peer& peer);

/// For whoever runs the server behind this listener; empty where its clients end idle connections first, and
/// while that is not known.
[[nodiscard]] std::string advice_for(const Listener& listener);

} // namespace stalesock
