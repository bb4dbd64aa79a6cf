// SPDX-License-Identifier: Apache-2.0
// How far a long job is, on a terminal only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace stalesock {

class Progress {
  public:
	using Clock = std::chrono::steady_clock;

	/// Shows nothing when standard error is no terminal or the total is 0 (not known).
	Progress(std::string what, std::uint64_t total);
	~Progress();
	Progress(const Progress&) = delete;
	Progress& operator=(const Progress&) = delete;

	/// Not before a second has passed, and not more often than one can read.
	void update(std::uint64_t done);
	/// Leaves the line to other output.
	void hide();

  private:
	std::string what_;
	std::uint64_t total_;
	bool wanted_;
	bool shown_ = false;
	Clock::time_point next_;
};

} // namespace stalesock
