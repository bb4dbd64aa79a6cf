// SPDX-License-Identifier: Apache-2.0
#include "app/pipeline.hpp"

#include "verdict/advice.hpp"

#include <utility>

namespace stalesock {

namespace {

/// When the owner was certainly alive: at the connect, or at what the verdict reports.
Nanoseconds sighting_of(const Verdict& verdict) {
	const bool connected = verdict.owner.source == OwnerSource::connect && verdict.connection.age;
	return connected ? verdict.time - *verdict.connection.age : verdict.time;
}

} // namespace

Pipeline::Pipeline(Options options, Sink& sink)
	: options_(std::move(options)), sink_(sink), engine_(options_.engine),
	  collapser_(options_.collapse), handler_([this](const Verdict& verdict) { take(verdict); }),
	  collapsed_handler_(
		  [this](const Collapsed& collapsed) { sink_.collapsed(collapsed, now_.wall); }) {}

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
	collapser_.expire(now_.boot, collapsed_handler_);
}

void Pipeline::finish() {
	engine_.finish(now_.boot, handler_);
	collapser_.finish(collapsed_handler_);
}

/// Advice may name a setting, which the command name alone does not always tell.
void Pipeline::look_up_runtime(Verdict& verdict) const {
	if (verdict.advice.empty() || !verdict.owner.pid || !options_.runtime_lookup) {
		return;
	}
	verdict.owner.runtime = options_.runtime_lookup(*verdict.owner.pid);
	if (verdict.owner.runtime != Runtime::unknown) {
		verdict.advice = advice_for(verdict);
	}
}

// The owner is looked up last: it reads files.
void Pipeline::take(const Verdict& verdict) {
	if (!matches(options_.filter, verdict)) {
		++counters_.filtered;
		return;
	}
	Verdict complete = verdict;
	if (complete.owner.pid && options_.owner_lookup) {
		options_.owner_lookup(complete.owner, sighting_of(complete), now_.boot);
		if (!complete.owner.command_line.empty()) { // it may tell more than the command
			complete.advice = advice_for(complete);
		}
	}
	if (complete.other_end && options_.owner_lookup) {
		options_.owner_lookup(complete.other_end->owner, sighting_of(complete), now_.boot);
	}
	if (!matches_unit(options_.filter, complete.owner)) {
		++counters_.filtered;
		return;
	}
	look_up_runtime(complete);
	++counters_.verdicts.at(static_cast<std::size_t>(complete.kind));
	sink_.count(complete);
	const WallTime time = wall_time(complete.time, now_);
	if (collapser_.shows(complete, time, now_.boot, collapsed_handler_)) {
		sink_.verdict(complete, time);
	} else {
		++counters_.collapsed;
	}
}

} // namespace stalesock
