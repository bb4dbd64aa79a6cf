// SPDX-License-Identifier: Apache-2.0
// From connections to continuations, and back.
#pragma once

#include "track/connection.hpp"
#include "verdict/continuation.hpp"

namespace stalesock {

/// Nothing of the connection needs to be kept beyond what its socket tells.
[[nodiscard]] bool needs_continuation(const Connection& connection);

[[nodiscard]] Continuation continuation_of(const Connection& connection);

/// After the first event of the connection was applied. Of bytes that were written after the FIN while nobody watched it
/// makes a late write of unknown time.
void resume(Connection& connection, const Continuation& former, const Event& event);

} // namespace stalesock
