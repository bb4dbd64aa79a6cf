// SPDX-License-Identifier: Apache-2.0
// What a daemon has learned, for the commands that only read it.
#pragma once

#include "app/clock.hpp"
#include "model/row.hpp"
#include "verdict/listeners.hpp"
#include "verdict/peers.hpp"

#include <optional>
#include <string>

namespace stalesock {

/// Takes in a saved state and leaves its file alone. `file`: absent means the daemon's, which need not be there. Returns
/// the problem, one sentence that is safe to print; empty: none. Throws UsageError when a file that was named cannot be
/// used.
[[nodiscard]] std::string borrow_learned(const std::optional<std::string>& file, const Moment& now,
                                         Peers& peers, Listeners& listeners);

/// Nothing unless an idle timeout is learned.
[[nodiscard]] std::optional<PeerTimeout> timeout_of(const Peers& peers, const Endpoint& remote,
                                                    std::uint32_t netns);

/// Of connections it knows nothing.
class LearnedTimeouts final : public Memory {
  public:
	/// As borrow_learned().
	LearnedTimeouts(const std::optional<std::string>& file, const Moment& now);

	/// Empty: none.
	[[nodiscard]] const std::string& problem() const { return problem_; }

	[[nodiscard]] std::optional<ConnectionMemory>
	connection(std::uint64_t /*cookie*/) const override {
		return std::nullopt;
	}
	[[nodiscard]] std::optional<PeerTimeout> peer(const Endpoint& remote,
	                                              std::uint32_t netns) const override {
		return timeout_of(peers_, remote, netns);
	}

  private:
	Peers peers_;
	std::string problem_;
};

} // namespace stalesock
