// SPDX-License-Identifier: Apache-2.0
#include "sinks/metrics.hpp"

#include "model/escape.hpp"

#include <array>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace stalesock {

namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Labels;
using prometheus::Registry;

using ByKind = std::array<Counter*, verdict_kind_count>;

Counter& counter(Registry& registry, const char* name, const char* help,
                 const Labels& labels = {}) {
	return BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

Gauge& gauge(Registry& registry, const char* name, const char* help) {
	return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

void raise(Counter& counter, std::uint64_t total) {
	const double more = static_cast<double>(total) - counter.Value();
	if (more > 0) {
		counter.Increment(more);
	}
}

} // namespace

struct Metrics::State {
	std::shared_ptr<Registry> registry = std::make_shared<Registry>();
	prometheus::Family<Counter>& verdicts = BuildCounter()
	                                            .Name("stalesock_verdicts_total")
	                                            .Help("Verdicts by the systemd unit of the process "
	                                                  "that they concern, collapsed ones too; "
	                                                  "no unit: it is not known.")
	                                            .Register(*registry);
	prometheus::Family<Gauge>& info = BuildGauge()
	                                      .Name("stalesock_info")
	                                      .Help("Version, kernel and class of hooks; always 1.")
	                                      .Register(*registry);
	Gauge& gaps = gauge(*registry, "stalesock_gaps",
	                    "Things that no hook sees on this kernel; stalesock doctor names them.");
	Counter& events =
		counter(*registry, "stalesock_events_total", "Events that the kernel reported.");
	Counter& dropped = lost("dropped");
	Counter& missed = lost("missed");
	Counter& malformed = lost("malformed");
	Counter& inferred = counter(*registry, "stalesock_events_inferred_total",
	                            "FINs, late writes and ends whose event was lost and that later "
	                            "events of their connection show.");
	Gauge& connections = gauge(*registry, "stalesock_connections", "Connections tracked.");
	Gauge& connections_limit =
		gauge(*registry, "stalesock_connections_limit", "Connections tracked at most.");
	Counter& connections_evicted =
		counter(*registry, "stalesock_connections_evicted_total",
	            "Connections dropped from tracking because there were too many.");
	Gauge& peers = gauge(*registry, "stalesock_peers", "Remote endpoints learned of.");
	Gauge& peers_limit =
		gauge(*registry, "stalesock_peers_limit", "Remote endpoints learned of at most.");
	Counter& peers_evicted = counter(*registry, "stalesock_peers_evicted_total",
	                                 "Remote endpoints forgotten because there were too many.");
	Gauge& waiting = gauge(*registry, "stalesock_records_waiting",
	                       "Records that the journal or the file has not taken yet.");
	std::map<std::string, ByKind, std::less<>> by_unit;

	State() { add_unit({}); } // series that are there from the start can be seen to rise

	Counter& lost(const char* reason) {
		return counter(
			*registry, "stalesock_events_lost_total",
			"Events lost: dropped, the ring was full; missed, a program did not run; malformed, a "
			"record could not be decoded.",
			{{"reason", reason}});
	}
	const ByKind& add_unit(const std::string& unit);
	const ByKind& of_unit(const std::string& unit);
};

const ByKind& Metrics::State::add_unit(const std::string& unit) {
	ByKind counters{};
	for (std::size_t i = 0; i < counters.size(); i++) {
		const auto kind = static_cast<VerdictKind>(i);
		Labels labels{{"verdict", std::string(to_string(kind))},
		              {"severity", std::string(to_string(severity_of(kind)))}};
		if (!unit.empty()) {
			labels.emplace("unit", escape_untrusted(unit));
		}
		counters.at(i) = &verdicts.Add(labels);
	}
	return by_unit.emplace(unit, counters).first->second;
}

const ByKind& Metrics::State::of_unit(const std::string& unit) {
	const auto found = by_unit.find(unit);
	if (found != by_unit.end()) {
		return found->second;
	}
	if (by_unit.size() <= most_units) { // one of them is "not known"
		return add_unit(unit);
	}
	const auto other = by_unit.find("(other)");
	return other != by_unit.end() ? other->second : add_unit("(other)");
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}

Metrics::~Metrics() = default;

void Metrics::count(const Verdict& verdict) {
	state_->of_unit(verdict.owner.unit.value_or(""))
		.at(static_cast<std::size_t>(verdict.kind))
		->Increment();
}

void Metrics::describe(const Started& started) {
	state_->info
		.Add({{"version", started.version},
	          {"kernel", escape_untrusted(started.kernel)},
	          {"hook_class", started.hook_class}})
		.Set(1);
	state_->gaps.Set(static_cast<double>(started.gaps.size()));
}

void Metrics::set(const WatchState& state) {
	raise(state_->events, state.events);
	raise(state_->dropped, state.dropped);
	raise(state_->missed, state.missed);
	raise(state_->malformed, state.malformed);
	raise(state_->inferred, state.inferred);
	raise(state_->connections_evicted, state.connections_evicted);
	raise(state_->peers_evicted, state.peers_evicted);
	state_->connections.Set(static_cast<double>(state.connections));
	state_->connections_limit.Set(static_cast<double>(state.connections_limit));
	state_->peers.Set(static_cast<double>(state.peers));
	state_->peers_limit.Set(static_cast<double>(state.peers_limit));
	state_->waiting.Set(static_cast<double>(state.waiting));
}

std::weak_ptr<prometheus::Collectable> Metrics::collectable() const {
	return state_->registry;
}

} // namespace stalesock
