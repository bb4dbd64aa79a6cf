// SPDX-License-Identifier: Apache-2.0
// Performs one plan on two real sockets.
#pragma once

#include "network.hpp"
#include "plan.hpp"
#include "view.hpp"

#include <map>
#include <mutex>
#include <string>

namespace oracle {

struct Outcome {
	std::string failure; ///< why the connection could not be made; empty when it was
	Witness active;
	Witness passive;
};

/// Of the groups. For any thread.
class Listeners {
  public:
	struct Shared {
		Descriptor socket;
		std::mutex pairing; ///< held from connect to accept
	};
	/// Listens from the first call on.
	[[nodiscard]] Shared& of(const Plan& plan);

  private:
	std::mutex mutex_;
	std::map<unsigned, Shared> shared_;
};

/// Connects from `client_port` and lets both ends do what the plan says; returns when both have
/// closed.
[[nodiscard]] Outcome perform(const Plan& plan, std::uint16_t client_port, Listeners& listeners);

} // namespace oracle
