// SPDX-License-Identifier: Apache-2.0
// What Prometheus reads: counts of verdicts by unit, and how the watch itself is doing.
#pragma once

#include "sinks/sink.hpp"

#include <cstddef>
#include <memory>

namespace prometheus {
class Collectable;
}

namespace stalesock {

/// The state of the watch at one moment. Totals never go back.
struct WatchState {
	std::uint64_t events = 0;    ///< total
	std::uint64_t dropped = 0;   ///< total: the ring was full
	std::uint64_t missed = 0;    ///< total: a program did not run
	std::uint64_t inferred = 0;  ///< total: FINs, late writes and ends that only later events show
	std::uint64_t malformed = 0; ///< total: records that could not be decoded
	std::uint64_t connections = 0;
	std::uint64_t connections_limit = 0;
	std::uint64_t connections_evicted = 0; ///< total
	std::uint64_t peers = 0;
	std::uint64_t peers_limit = 0;
	std::uint64_t peers_evicted = 0; ///< total
	std::uint64_t waiting = 0;       ///< records that no output has taken yet
};

/// Counts from its making on. One thread changes it, another may read what collectable() has at the same time.
class Metrics {
  public:
	/// Units with a series of their own; the verdicts of further ones are summed up as "(other)".
	static constexpr std::size_t most_units = 200;

	Metrics();
	~Metrics();
	Metrics(const Metrics&) = delete;
	Metrics& operator=(const Metrics&) = delete;

	/// Every verdict once, shown or collapsed.
	void count(const Verdict& verdict);
	void describe(const Started& started);
	void set(const WatchState& state);

	/// Lives as long as this.
	[[nodiscard]] std::weak_ptr<prometheus::Collectable> collectable() const;

  private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace stalesock
