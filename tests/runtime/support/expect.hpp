// SPDX-License-Identifier: Apache-2.0
// The verdicts about both ends of a connection: these, in this order, and no others.
#pragma once

#include "support/catch.hpp"
#include "support/watch.hpp"

namespace runtime {

/// After settling.
inline void check_verdicts(const Connection& connection, const Names& active,
                           const Names& passive) {
	const Seen seen = watch().observe(connection);
	CHECK(names(seen.active) == active);
	CHECK(names(seen.passive) == passive);
}

} // namespace runtime
