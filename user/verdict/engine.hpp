// SPDX-License-Identifier: Apache-2.0
// Events in, verdicts out: the tracker and the rules behind one door.
#pragma once

#include "model/event.hpp"
#include "verdict/continuation.hpp"
#include "verdict/listeners.hpp"
#include "verdict/peers.hpp"
#include "verdict/verdict.hpp"
#include "verdict/waiting_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace stalesock {

struct EngineOptions {
	/// Connections tracked at once; at least 1. When full, the least useful one is evicted and counted.
	std::size_t max_connections = 262'144;
	/// Length of one jiffy: the resolution of ages read from a socket.
	Nanoseconds tick{4'000'000};
	/// Remote endpoints whose timeouts are learned; at least 1. Evicts and counts like the connections.
	std::size_t max_peers = 16'384;
	/// From when on a connection that waits for its application is worth a verdict.
	WaitingLimits waiting{};
	/// Where to leave what the next process must know; null: nowhere. Must outlive the engine.
	ContinuationStore* store = nullptr;
};

struct EngineCounters {
	std::uint64_t tracked = 0;       ///< connections in the table now
	std::uint64_t opened = 0;        ///< connections ever put into the table
	std::uint64_t evicted = 0;       ///< connections dropped because the table was full
	std::uint64_t peers = 0;         ///< remote endpoints known now
	std::uint64_t peers_evicted = 0; ///< remote endpoints dropped because the table was full
	std::uint64_t undecided = 0;     ///< connections whose verdict waits for more evidence
	std::uint64_t unowned = 0;       ///< connections in the table whose owner is not known
	std::uint64_t inferred = 0;      ///< FINs, late writes and ends that only later events show
};

/// Pure: no clock, no I/O, no log. Deterministic for a sequence of events and ticks.
class Engine {
  public:
	using Handler = std::function<void(const Verdict&)>;

	explicit Engine(const EngineOptions& options);
	~Engine();
	Engine(const Engine&) = delete;
	Engine& operator=(const Engine&) = delete;

	/// Applies one event and hands over every verdict that follows from it, in order. A verdict on a close
	/// has taught before it is handed over: what it says of the peer includes that close, as does what a later
	/// verdict on the same connection says.
	void apply(const Event& event, const Handler& handler);

	/// Silence is evidence too. Call it at least every 100 ms with the boot time.
	void on_tick(Nanoseconds now, const Handler& handler);

	/// Before the inventory: what a former process knew. Taken up with the first event of each connection.
	void resume(std::span<const Continuation> former);
	/// Those that have not been met yet.
	[[nodiscard]] std::size_t unmet() const;
	/// After a complete inventory: forgets those that were not met; they have ended. Returns how many.
	std::size_t end_resume();

	/// Leaks were found, and are told soon: whoever looks over all descriptors now, and applies what was met there as owner
	/// events, lets them name who holds the connection. True once for each scan.
	[[nodiscard]] bool take_wish_for_holders();
	/// That look is over: of a connection that it did not meet nobody is known to hold it.
	void note_holders_seen(Nanoseconds now);

	/// Before stopping: settles what was waiting for more evidence.
	void finish(Nanoseconds now, const Handler& handler);

	[[nodiscard]] EngineCounters counters() const;

	/// What has been learned of the servers.
	[[nodiscard]] const Peers& peers() const;
	[[nodiscard]] Peers& peers();

	/// What has been learned of the servers on this host.
	[[nodiscard]] const Listeners& listeners() const;
	[[nodiscard]] Listeners& listeners();

  private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace stalesock
