// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace stalesock::test {

/// The same numbers everywhere: a distribution of the standard library is not.
class Dice {
  public:
	explicit Dice(unsigned seed) : engine_(seed) {}

	Nanoseconds between(Nanoseconds low, Nanoseconds high) {
		const auto steps =
			static_cast<std::uint64_t>((high - low) / std::chrono::microseconds(1)) + 1;
		return low + std::chrono::microseconds(static_cast<std::int64_t>(engine_() % steps));
	}
	bool percent(unsigned share) { return engine_() % 100 < share; }
	/// In [0, count).
	std::size_t below(std::size_t count) { return engine_() % count; }

  private:
	std::mt19937_64 engine_;
};

} // namespace stalesock::test
