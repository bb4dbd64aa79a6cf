// SPDX-License-Identifier: Apache-2.0
// Connections that the peer ended by an RST while nothing was asked: their applications may still write.
#pragma once

#include "verdict/verdict.hpp"

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace stalesock {

/// What is left of one.
struct ResetConnection {
	ConnectionFacts connection;
	Owner owner;
	Evidence evidence;
	Nanoseconds time{}; ///< of the RST
	/// The application had read all before that number, and not what had come then; absent when it had read everything.
	std::optional<std::uint32_t> unread_from;
	Confidence confidence = Confidence::certain;
	std::string inferred;
	std::uint32_t verdicts = 0; ///< told of it so far
};

/// The last 4,096 of them, of about 1 KiB each. Those that are never written to again leave with their age.
class Resets {
  public:
	static constexpr std::size_t limit = 4096;

	void add(ResetConnection connection);
	/// Takes it out: the first write tells all.
	[[nodiscard]] std::optional<ResetConnection> take(std::uint64_t cookie);
	[[nodiscard]] std::size_t size() const { return connections_.size(); }

  private:
	absl::flat_hash_map<std::uint64_t, ResetConnection> connections_;
	std::deque<std::uint64_t> order_; ///< cookies, the oldest first
};

} // namespace stalesock
