// SPDX-License-Identifier: Apache-2.0
// What to do about a verdict, with the number and the name of the setting.
#pragma once

#include "verdict/verdict.hpp"

#include <string>

namespace stalesock {

/// One sentence; empty where there is nothing to do. Needs kind, owner and peer.
[[nodiscard]] std::string advice_for(const Verdict& verdict);

/// The FIN came together with an answer, not after a silence.
[[nodiscard]] bool closed_with_response(const Evidence& evidence);

/// How long a pool may keep an idle connection to a server with this idle timeout: min(0.8 x timeout,
/// timeout - 1 s), but never less than half the timeout. The second leaves room for slow paths and timers that tick
/// once a second; below 2 s half the timeout is what remains.
[[nodiscard]] Nanoseconds pool_limit(Nanoseconds idle_timeout);

/// "500 ms", "1.0 s", "48 s": two significant figures, as a setting would be written.
[[nodiscard]] std::string limit_text(Nanoseconds limit);

} // namespace stalesock
