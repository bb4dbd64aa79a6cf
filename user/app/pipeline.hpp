// SPDX-License-Identifier: Apache-2.0
// Event -> engine -> filter -> collapser -> sink, with the counts for the summary. Knows no probe and no clock.
#pragma once

#include "app/clock.hpp"
#include "app/collapser.hpp"
#include "app/filter.hpp"
#include "sinks/sink.hpp"
#include "verdict/engine.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace stalesock {

struct PipelineCounters {
	std::uint64_t inventoried = 0;                            ///< sockets the inventory found
	std::array<std::uint64_t, verdict_kind_count> verdicts{}; ///< by kind, collapsed ones too
	std::uint64_t filtered = 0;                               ///< verdicts that were not wanted
	std::uint64_t collapsed = 0;                              ///< counted and not shown
};

class Pipeline {
  public:
	/// Fills what is known of an owner who was seen at `seen`; see OwnerDirectory::complete.
	using OwnerLookup = std::function<void(Owner& owner, Nanoseconds seen, Nanoseconds now)>;
	using RuntimeOf = std::function<Runtime(std::int32_t pid)>;

	struct Options {
		EngineOptions engine;
		VerdictFilter filter;
		bool events = false; ///< hand the raw stream to the sink as well
		OwnerLookup owner_lookup;
		/// Of the same verdict so many are shown in a minute; 0: all.
		std::uint32_t collapse = 0;
		RuntimeOf runtime_lookup{};
	};

	Pipeline(Options options, Sink& sink);

	/// See Engine::resume and Engine::end_resume.
	void resume(std::span<const Continuation> former) { engine_.resume(former); }
	[[nodiscard]] std::size_t unmet() const { return engine_.unmet(); }
	std::size_t end_resume() { return engine_.end_resume(); }

	/// Wall times of what follows are reckoned from this moment.
	void set_now(const Moment& now) { now_ = now; }
	void set_filter(const VerdictFilter& filter) { options_.filter = filter; }
	void set_collapse(std::uint32_t first) { collapser_.set_first(first); }
	void apply(const Event& event);
	void tick();
	void finish();

	[[nodiscard]] const PipelineCounters& counters() const { return counters_; }
	/// What has been learned, to be shown, saved, and added to.
	[[nodiscard]] Engine& engine() { return engine_; }
	/// See Engine::take_wish_for_holders().
	[[nodiscard]] bool take_wish_for_holders() { return engine_.take_wish_for_holders(); }
	void note_holders_seen() { engine_.note_holders_seen(now_.boot); }
	[[nodiscard]] EngineCounters engine_counters() const { return engine_.counters(); }
	/// What has been learned of the servers.
	[[nodiscard]] const Peers& peers() const { return engine_.peers(); }

  private:
	void take(const Verdict& verdict);
	void look_up_runtime(Verdict& verdict) const;

	Options options_;
	Sink& sink_;
	Engine engine_;
	Collapser collapser_;
	Engine::Handler handler_;
	Collapser::Handler collapsed_handler_;
	Moment now_;
	PipelineCounters counters_;
};

} // namespace stalesock
