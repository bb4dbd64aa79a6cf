// SPDX-License-Identifier: Apache-2.0
// What `watch` and `daemon` have in common: the kernel's events through the pipeline to a sink, the sockets
// that existed before, the scans, and what was lost.
#pragma once

#include "app/event_loop.hpp"
#include "app/pipeline.hpp"
#include "probe/probe.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace stalesock {

struct MonitorOptions {
	ProbeOptions probe;
	std::size_t max_connections = EngineOptions{}.max_connections;
	std::size_t max_peers = EngineOptions{}.max_peers;
	VerdictFilter filter;
	WaitingLimits waiting{};
	/// How often owners are looked up, and late writes where no hook sees them.
	std::chrono::microseconds scan_interval = std::chrono::seconds(10);
	/// Of the same verdict so many are shown in a minute; 0: all.
	std::uint32_t collapse = default_collapse;
	/// Where to leave what the next process must know; must outlive the monitor.
	ContinuationStore* store = nullptr;
	bool events = false;   ///< hand the raw stream to the sink as well
	bool announce = false; ///< tell the sink about a complete inventory too
};

class Monitor {
  public:
	/// Loads the programs; throws what Probe throws. The sink must outlive it.
	Monitor(const MonitorOptions& options, Sink& sink);

	/// Attaches, tells the sink class and gaps, and takes the inventory. Returns what cannot be seen, one sentence each.
	/// `former`: what another process knew before.
	std::vector<std::string> start(std::span<const Continuation> former = {});
	/// Of those, the connections that the inventory met, and did not meet.
	[[nodiscard]] std::size_t resumed() const { return resumed_; }
	/// Nothing when there were some that the inventory could not look at.
	[[nodiscard]] std::optional<std::size_t> ended() const { return ended_; }

	/// From now on the loop drains the ring; `drained` is called each time after that.
	void arm(EventLoop& loop, const std::function<void()>& drained);

	/// For the end: what has happened up to now still counts.
	void settle(const Moment& now);

	/// Called when events were lost, after the sink was told; at most once a second.
	void on_losses(std::function<void(const Lost&)> handler) {
		losses_handler_ = std::move(handler);
	}

	/// Of the events so far.
	[[nodiscard]] Lost losses() const;

	[[nodiscard]] const Probe& probe() const { return probe_; }
	[[nodiscard]] Pipeline& pipeline() { return pipeline_; }
	[[nodiscard]] const Pipeline& pipeline() const { return pipeline_; }

  private:
	void consume();
	void tick();
	void look_for_missed_fins();
	void note_losses();

	MonitorOptions options_;
	Sink& sink_;
	Probe probe_;
	Pipeline pipeline_;
	std::function<void(const Lost&)> losses_handler_;
	Nanoseconds losses_noted_{};
	Lost lost_;
	std::uint64_t skipped_ =
		0; ///< events dropped, runs missed and events inferred before the last look for FINs
	Nanoseconds next_look_{}; ///< boot time
	std::size_t resumed_ = 0;
	std::optional<std::size_t> ended_;
};

} // namespace stalesock
