// SPDX-License-Identifier: Apache-2.0
// Event -> engine -> filter -> sink, with the counts for the summary. Knows no probe and no clock.
#pragma once

#include "app/clock.hpp"
#include "app/filter.hpp"
#include "sinks/sink.hpp"
#include "verdict/engine.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace stalesock {

struct PipelineCounters {
	std::uint64_t inventoried = 0;                            ///< sockets the inventory found
	std::array<std::uint64_t, verdict_kind_count> verdicts{}; ///< shown, by kind
	std::uint64_t filtered = 0;                               ///< verdicts that were not wanted
};

class Pipeline {
  public:
	using UnitLookup = std::function<std::optional<std::string>(std::int32_t pid)>;

	struct Options {
		EngineOptions engine;
		VerdictFilter filter;
		bool events = false; ///< hand the raw stream to the sink as well
		UnitLookup unit_lookup;
	};

	Pipeline(Options options, Sink& sink);

	/// Wall times of what follows are reckoned from this moment.
	void set_now(const Moment& now) { now_ = now; }
	void apply(const Event& event);
	void tick();
	void finish();

	[[nodiscard]] const PipelineCounters& counters() const { return counters_; }
	[[nodiscard]] EngineCounters engine_counters() const { return engine_.counters(); }

  private:
	void take(const Verdict& verdict);

	Options options_;
	Sink& sink_;
	Engine engine_;
	Engine::Handler handler_;
	Moment now_;
	PipelineCounters counters_;
};

} // namespace stalesock
