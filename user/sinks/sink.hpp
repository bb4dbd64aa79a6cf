// SPDX-License-Identifier: Apache-2.0
// Where verdicts go. A sink takes structured values and formats them at the edge.
#pragma once

#include "model/event.hpp"
#include "verdict/verdict.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stalesock {

using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// The first note of every output: every hook is attached. Of a recording, what was so when it was made.
struct Started {
	std::string version; ///< of stalesock
	std::string kernel;  ///< uname -r; empty for a packet capture
	std::string hook_class;
	std::vector<std::string> gaps; ///< what no hook sees, one sentence each
};

/// The sockets that existed before are known.
struct Inventoried {
	std::uint64_t sockets = 0;
	std::vector<std::string> gaps; ///< what could not be looked at
};

/// Events were lost since the last such note; all counters are totals.
struct Lost {
	std::uint64_t dropped = 0;  ///< ring full
	std::uint64_t missed = 0;   ///< a program did not run, and no other took what it was for
	std::uint64_t inferred = 0; ///< FINs, late writes and ends that only later events show

	/// The least: an inferred event may be one of those dropped or missed.
	[[nodiscard]] std::uint64_t total() const { return std::max(dropped + missed, inferred); }
	friend bool operator==(const Lost&, const Lost&) = default;
};

/// Another process of ours watched before; in between nobody did.
struct Resumed {
	Nanoseconds unwatched{};      ///< from its last sign of life to our inventory
	bool stopped_cleanly = false; ///< false: it was killed, or crashed
	std::uint64_t resumed = 0;    ///< connections closed by their peer that are still open
	/// Those that ended in between: how is not known. Absent when not all could be looked for.
	std::optional<std::uint64_t> ended;
	std::uint64_t undecided = 0;   ///< verdicts that waited for more evidence when it was killed
	std::uint64_t undelivered = 0; ///< records that waited for an output when it ended
	std::uint64_t forgotten = 0;   ///< connections it could not remember for us: there was no room
};

/// The configuration was read again.
struct Reloaded {
	std::string problem;              ///< why the old one stays; empty: the new one is in use
	std::vector<std::string> waiting; ///< settings that take effect at the next start
};

/// An output is back after it did not take records for a while.
struct OutputGap {
	std::string output;          ///< "journal", or the path of a file
	std::string problem;         ///< why it did not take them
	std::uint64_t delayed = 0;   ///< records that came late
	std::uint64_t discarded = 0; ///< records for which the queue had no room: they are lost
};

/// The same verdict over and over: these were counted and not shown.
struct Collapsed {
	VerdictKind kind = VerdictKind::stale_reuse;
	Role role = Role::unknown;
	Endpoint local;          ///< where it is the same for all: the port of a passive opener
	Endpoint remote;         ///< of a passive opener only the address is the same for all
	Owner owner;             ///< pid only where it is the same for all
	std::uint64_t count = 0; ///< not shown; at least 1
	std::uint64_t shown = 0; ///< before them, in the same minute
	WallTime since;          ///< times of the first and of the last one that was not shown
	WallTime until;
	std::string last_id; ///< of one that was not shown
};

/// What an output says about itself rather than about a connection.
using Note = std::variant<Started, Inventoried, Lost, Resumed, Reloaded, OutputGap>;

class Sink {
  public:
	Sink() = default;
	virtual ~Sink() = default;
	Sink(const Sink&) = delete;
	Sink& operator=(const Sink&) = delete;

	virtual void verdict(const Verdict& verdict, WallTime time) = 0;
	/// Verdicts that were not handed over one by one; whoever counts must count these.
	virtual void collapsed(const Collapsed& collapsed, WallTime time) = 0;
	/// Pushes out what was taken, without waiting for a slow reader. Returns 0, or the errno that
	/// has ended the output for good.
	virtual int flush() = 0;

	/// Every verdict once, before it is shown or collapsed; for sinks that count.
	virtual void count(const Verdict& /*verdict*/) {}
	/// The raw stream, only for sinks that want it.
	virtual void event(const Event& /*event*/, WallTime /*time*/) {}
	virtual void note(const Note& /*note*/, WallTime /*time*/) {}
};

} // namespace stalesock
