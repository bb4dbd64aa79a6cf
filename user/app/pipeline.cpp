// SPDX-License-Identifier: Apache-2.0
#include "app/pipeline.hpp"

#include <utility>

namespace stalesock {

Pipeline::Pipeline(Options options, Sink& sink)
	: options_(std::move(options)), sink_(sink), engine_(options_.engine),
	  handler_([this](const Verdict& verdict) { take(verdict); }) {}

void Pipeline::apply(const Event& event) {
	if (event.kind == EventKind::inventory) {
		++counters_.inventoried;
	}
	if (options_.events && matches(options_.filter, event)) {
		sink_.event(event, wall_time(event.time, now_));
	}
	engine_.apply(event, handler_);
}

void Pipeline::tick() {
	engine_.on_tick(now_.boot, handler_);
}

void Pipeline::finish() {
	engine_.finish(now_.boot, handler_);
}

// The unit is looked up last: it reads a file.
void Pipeline::take(const Verdict& verdict) {
	if (!matches(options_.filter, verdict)) {
		++counters_.filtered;
		return;
	}
	Verdict complete = verdict;
	if (complete.owner.pid && !complete.owner.unit && options_.unit_lookup) {
		complete.owner.unit = options_.unit_lookup(*complete.owner.pid);
	}
	if (!matches_unit(options_.filter, complete.owner)) {
		++counters_.filtered;
		return;
	}
	++counters_.verdicts.at(static_cast<std::size_t>(complete.kind));
	sink_.verdict(complete, wall_time(complete.time, now_));
}

} // namespace stalesock
