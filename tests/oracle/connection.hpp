// SPDX-License-Identifier: Apache-2.0
// Performs one plan on two real sockets.
#pragma once

#include "plan.hpp"

#include <cstdint>
#include <string>

namespace oracle {

/// What a capture cannot show.
struct Outcome {
	std::string failure;              ///< why the connection could not be made; empty when it was
	std::uint64_t read_by_active = 0; ///< payload bytes the application had read when it closed
	std::uint64_t read_by_passive = 0;
};

/// Connects from `client_port` and lets both ends do what the plan says; returns when both have
/// closed.
[[nodiscard]] Outcome perform(const Plan& plan, std::uint16_t client_port);

} // namespace oracle
