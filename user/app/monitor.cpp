// SPDX-License-Identifier: Apache-2.0
#include "app/monitor.hpp"

#include "app/owner_directory.hpp"
#include "app/report.hpp"
#include "app/runtime.hpp"

#include <algorithm>
#include <memory>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 50ms;
constexpr Nanoseconds lost_interval = 1s;

/// From one look for missed FINs to the next, at least.
constexpr Nanoseconds shortest_look = 100ms;
/// And so many times as long as the look took.
constexpr int look_share = 100;

Pipeline::Options pipeline_options(const MonitorOptions& options, Nanoseconds tick) {
	Pipeline::Options chosen;
	chosen.engine.max_connections = options.max_connections;
	chosen.engine.tick = tick;
	chosen.engine.waiting = options.waiting;
	chosen.engine.store = options.store;
	chosen.filter = options.filter;
	chosen.events = options.events;
	chosen.owner_lookup = [owners = std::make_shared<OwnerDirectory>()](
							  Owner& owner, Nanoseconds seen, Nanoseconds now) {
		owners->complete(owner, seen, now);
	};
	chosen.collapse = options.collapse;
	chosen.runtime_lookup = RuntimeLookup{};
	chosen.engine.max_peers = options.max_peers;
	return chosen;
}

ProbeOptions probe_options(const MonitorOptions& options) {
	ProbeOptions chosen = options.probe;
	chosen.dirty_idle = options.waiting.dirty_idle;
	return chosen;
}

} // namespace

Monitor::Monitor(const MonitorOptions& options, Sink& sink)
	: options_(options), sink_(sink), probe_(probe_options(options)),
	  pipeline_(pipeline_options(options, probe_.tick()), sink) {}

std::vector<std::string> Monitor::start(std::span<const Continuation> former) {
	pipeline_.resume(former);
	pipeline_.set_now(read_clocks());
	probe_.attach([this](const Event& event) { pipeline_.apply(event); });
	Started begun = started_by(probe_);
	const Moment now = read_clocks();
	sink_.note(begun, now.wall);
	pipeline_.set_now(now);
	const std::vector<std::string> unseen = probe_.take_inventory();
	consume();
	resumed_ = former.size() - pipeline_.unmet();
	if (unseen.empty()) { // those of a namespace that cannot be entered may live on
		ended_ = pipeline_.end_resume();
	}
	if (options_.announce || !unseen.empty()) {
		sink_.note(Inventoried{pipeline_.counters().inventoried, unseen}, read_clocks().wall);
	}
	begun.gaps.insert(begun.gaps.end(), unseen.begin(), unseen.end());
	return std::move(begun.gaps);
}

void Monitor::arm(EventLoop& loop, const std::function<void()>& drained) {
	loop.on_readable(probe_.ring_fd(), [this, drained] {
		consume();
		drained();
	});
	loop.every(tick_interval, [this, drained] {
		tick();
		drained();
	});
	loop.every(options_.scan_interval, [this] {
		if (pipeline_.engine_counters().unowned != 0) { // each open socket is an event
			probe_.scan_owners();
		}
		probe_.scan_sockets();
	});
}

void Monitor::consume() {
	pipeline_.set_now(read_clocks());
	probe_.consume();
}

// The clock is read before the ring is drained: all that happened before that moment is known.
void Monitor::tick() {
	consume();
	pipeline_.tick();
	if (pipeline_.take_wish_for_holders() && probe_.scan_owners()) {
		consume();
		pipeline_.note_holders_seen();
	}
	look_for_missed_fins();
	note_losses();
}

/// A program that did not run may have missed a FIN: its connection lies in CLOSE_WAIT, and a scan tells. Where one FIN was
/// inferred there may be more, whatever the kernel counted. On a host with many sockets a scan takes long: then the next one waits.
void Monitor::look_for_missed_fins() {
	const ProbeCounters counters = probe_.counters();
	const std::uint64_t skipped =
		counters.dropped + counters.all_missed + pipeline_.engine_counters().inferred;
	const Nanoseconds now = read_clocks().boot;
	if (skipped == skipped_ || now < next_look_) {
		return;
	}
	skipped_ = skipped;
	probe_.scan_sockets();
	consume();
	const Nanoseconds after = read_clocks().boot;
	next_look_ = after + std::max(shortest_look, look_share * (after - now));
}

Lost Monitor::losses() const {
	const ProbeCounters counters = probe_.counters();
	return {counters.dropped, counters.missed, pipeline_.engine_counters().inferred};
}

void Monitor::note_losses() {
	const Moment now = read_clocks();
	const Lost lost = losses();
	if (lost == lost_ || now.boot - losses_noted_ < lost_interval) {
		return;
	}
	lost_ = lost;
	losses_noted_ = now.boot;
	sink_.note(lost_, now.wall);
	if (losses_handler_) {
		losses_handler_(lost_);
	}
}

void Monitor::settle(const Moment& now) {
	pipeline_.set_now(now);
	probe_.scan_sockets();
	probe_.consume();
	pipeline_.finish();
	losses_noted_ = {};
	note_losses();
}

} // namespace stalesock
