// SPDX-License-Identifier: Apache-2.0
// How many verdicts the sockets had that are gone: one that is connected anew keeps its cookie, and its ids go on.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace stalesock {

/// Of the last 4,096, in about 160 KiB.
class SpentIds {
  public:
	static constexpr std::size_t limit = 4096;

	/// `verdicts`: all that the socket has had; 0 is not kept.
	void note(std::uint64_t cookie, std::uint32_t verdicts);
	/// 0 for a socket that had none, or long ago.
	[[nodiscard]] std::uint32_t of(std::uint64_t cookie) const;

  private:
	absl::flat_hash_map<std::uint64_t, std::uint32_t> verdicts_;
	std::deque<std::uint64_t> order_; ///< cookies, the oldest first
};

} // namespace stalesock
