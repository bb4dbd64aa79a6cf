// SPDX-License-Identifier: Apache-2.0
// What one idle close says in the light of those before it.
#pragma once

#include "score.hpp"

namespace oracle {

/// Turns idle closes that came much sooner than the same server's others into early ones. Truths otherwise complete.
void judge_early_closes(Sockets& sockets);

} // namespace oracle
