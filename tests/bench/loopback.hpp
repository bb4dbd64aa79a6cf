// SPDX-License-Identifier: Apache-2.0
// The two workloads: both ends in one thread, on the loopback of a network namespace of its own.
#pragma once

#include "probe/descriptor.hpp"

#include <cstdint>

namespace bench {

struct Spent {
	double wall_us = 0; ///< for each connection
	double cpu_us = 0;  ///< of our thread, softirq work on its back included
};

/// socket, connect, accept, 64 B there, 64 B back, the active end closes first, the passive end
/// reads the end of file and closes. TIME_WAIT does not get in the way: the remote address
/// changes every few thousand connections.
/// Makes connections, both ends in the calling thread: socket, connect, accept, 64 B there, 64 B back,
/// the active end closes first, the passive end reads the end of file and closes. TIME_WAIT does not
/// get in the way: the remote address changes every few thousand connections.
class ConnectionMaker {
  public:
	/// Connections made before the clock is looked at.
	static constexpr std::uint32_t warm_up = 1'000;

	ConnectionMaker();
	[[nodiscard]] Spent run(std::uint32_t count);
	/// So many are left behind in TIME_WAIT.
	[[nodiscard]] std::uint32_t made() const { return made_; }

  private:
	void make(std::uint32_t count);

	stalesock::Descriptor listener_;
	std::uint32_t made_ = 0;
};

/// 64 B there and back on one established connection.
void run_ping_pong(std::uint32_t count);

} // namespace bench
