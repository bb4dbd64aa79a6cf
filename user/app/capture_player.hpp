// SPDX-License-Identifier: Apache-2.0
// Captured packets -> the pipeline of `watch`. Time is the capture's: this reads no clock, so the same capture
// always says the same.
#pragma once

#include "app/pipeline.hpp"
#include "capture/file.hpp"
#include "capture/reconstruction.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

/// What no packet capture shows, one sentence each.
[[nodiscard]] const std::vector<std::string>& capture_gaps();

class CapturePlayer {
  public:
	struct Options {
		std::size_t max_connections = EngineOptions{}.max_connections;
		VerdictFilter filter;
		bool events = false;
		std::uint32_t collapse = 0; ///< see Pipeline::Options
		WaitingLimits waiting{};
	};

	CapturePlayer(const Options& options, Sink& sink);

	void play(const CapturedFrame& frame, LinkType type);
	/// Settles what waits, at the time of the last packet.
	void finish();

	[[nodiscard]] const CaptureCounters& capture_counters() const {
		return reconstruction_.counters();
	}
	[[nodiscard]] const PipelineCounters& counters() const { return pipeline_.counters(); }
	[[nodiscard]] EngineCounters engine_counters() const { return pipeline_.engine_counters(); }
	/// Events made of the packets.
	[[nodiscard]] std::uint64_t events() const { return events_seen_; }
	/// How much time the capture covers.
	[[nodiscard]] Nanoseconds duration() const { return start_ ? now_ - *start_ : Nanoseconds{}; }

  private:
	void begin(Nanoseconds time);
	void advance(Nanoseconds time);
	void tick();

	Sink& sink_;
	Pipeline pipeline_;
	Reconstruction reconstruction_;
	std::optional<Nanoseconds> start_; ///< of the first packet
	Nanoseconds now_{};
	Nanoseconds scanned_{}; ///< when that was done last
	std::uint64_t events_seen_ = 0;
};

} // namespace stalesock
