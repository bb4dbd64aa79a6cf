// SPDX-License-Identifier: Apache-2.0
// Where verdicts go. A sink takes structured values and formats them at the edge.
#pragma once

#include "model/event.hpp"
#include "verdict/verdict.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace stalesock {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Every hook is attached.
struct Started {
	std::string version;
	std::string hook_class;
	std::vector<std::string> gaps; ///< what no hook sees, one sentence each
};

/// The sockets that existed before are known.
struct Inventoried {
	std::uint64_t sockets = 0;
	std::vector<std::string> gaps; ///< what could not be looked at
};

/// Events were lost since the last such note; both counters are totals.
struct Lost {
	std::uint64_t dropped = 0; ///< ring full
	std::uint64_t missed = 0;  ///< the program did not run
};

/// What an output says about itself rather than about a connection.
using Note = std::variant<Started, Inventoried, Lost>;

class Sink {
  public:
	Sink() = default;
	virtual ~Sink() = default;
	Sink(const Sink&) = delete;
	Sink& operator=(const Sink&) = delete;

	virtual void verdict(const Verdict& verdict, WallTime time) = 0;
	/// Pushes out what was taken, without waiting for a slow reader. Returns 0, or the errno that
	/// has ended the output for good.
	virtual int flush() = 0;

	/// The raw stream, only for sinks that want it.
	virtual void event(const Event& /*event*/, WallTime /*time*/) {}
	virtual void note(const Note& /*note*/, WallTime /*time*/) {}
};

} // namespace stalesock
