// SPDX-License-Identifier: Apache-2.0
// Lets connections happen with everybody watching, in a network of their own.
#pragma once

#include "judgement.hpp"

#include <string>
#include <vector>

namespace oracle {

/// The connections of the options' seed with these indices, so many at a time. Nothing of an earlier call is left in the
/// network: it is a new one, with a new relay, new captures and a new `stalesock watch`. The captures and what `watch`
/// said are left in the folder.
[[nodiscard]] Evidence collect(const Options& options, const std::vector<unsigned>& indices,
                               unsigned jobs, const std::string& folder);

/// Beside the captures.
void save(const Judgement& judgement, const std::string& folder);

} // namespace oracle
