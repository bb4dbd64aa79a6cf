// SPDX-License-Identifier: Apache-2.0
// Blocks of a recording -> the pipeline of `watch`. Time is the recording's: this reads no clock, so the same
// recording always says the same.
#pragma once

#include "app/pipeline.hpp"
#include "probe/probe.hpp"
#include "record/format.hpp"

namespace stalesock {

class Player {
  public:
	struct Options {
		std::size_t max_connections = EngineOptions{}.max_connections;
		VerdictFilter filter;
		bool events = false;
		std::uint32_t collapse = 0; ///< see Pipeline::Options
		WaitingLimits waiting{};
		std::size_t max_peers = EngineOptions{}.max_peers;
	};

	Player(const RecordingHeader& header, const Options& options, Sink& sink);

	void play(const Block& block);
	/// Settles what waits, at the last moment the recording knows.
	void finish();

	/// What the probe counted, as far as the recording tells.
	[[nodiscard]] ProbeCounters probe_counters() const { return probe_; }
	[[nodiscard]] const PipelineCounters& counters() const { return pipeline_.counters(); }
	[[nodiscard]] EngineCounters engine_counters() const { return pipeline_.engine_counters(); }
	/// What was learned, at the time of now().
	[[nodiscard]] Engine& engine() { return pipeline_.engine(); }
	/// The last moment the recording knows.
	[[nodiscard]] Moment now() const { return {now_, wall(now_)}; }
	/// How much time the recording covers.
	[[nodiscard]] Nanoseconds duration() const { return now_ - start_.boot; }

  private:
	void advance(Nanoseconds time);
	void play(ByteView record);
	void play(const Records& records);
	void play(const InventoryMark& mark);
	void play(const LossMark& mark);
	void play(const EndMark& mark);
	[[nodiscard]] WallTime wall(Nanoseconds boot) const { return wall_time(boot, start_); }

	Sink& sink_;
	bool events_;
	Pipeline pipeline_;
	Moment start_;
	Nanoseconds now_;
	Event event_; ///< reused, so that decoding does not allocate
	ProbeCounters probe_;
};

} // namespace stalesock
