// SPDX-License-Identifier: Apache-2.0
// The hooks that `top` runs beside its snapshots, if it may.
#pragma once

#include "app/config.hpp"
#include "app/connection_log.hpp"
#include "app/monitor.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

class VerdictWatch {
  public:
	/// Attaches, unless the configuration says no, and begins with what the daemon has learned. What refuses to
	/// attach, or to be read, is a gap.
	VerdictWatch(const TopConfig& config, ConnectionLog& log);

	void arm(EventLoop& loop);

	[[nodiscard]] const std::vector<std::string>& gaps() const { return gaps_; }
	/// Empty: no hooks.
	[[nodiscard]] std::string hook_class() const;
	[[nodiscard]] std::optional<Lost> lost() const;

  private:
	void attach(const TopConfig& config, ConnectionLog& log);

	Peers own_; ///< without hooks
	std::unique_ptr<Monitor> monitor_;
	std::vector<std::string> gaps_;
};

} // namespace stalesock
