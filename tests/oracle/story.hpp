// SPDX-License-Identifier: Apache-2.0
// What happened on one socket, packets and verdicts on one time line, for a person to judge.
#pragma once

#include "run.hpp"
#include "score.hpp"

#include <string>

namespace oracle {

[[nodiscard]] std::string tell(const Mismatch& mismatch, const Socket& socket,
                               const Finished& finished, const Transcript& transcript);

} // namespace oracle
