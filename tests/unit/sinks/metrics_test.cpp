// SPDX-License-Identifier: Apache-2.0
#include "sinks/metrics.hpp"

#include "sinks/samples.hpp"
#include "support/catch.hpp"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>
#include <string>

namespace stalesock::test {

namespace {

using matchers::Contains;

std::string text_of(const Metrics& metrics) {
	return prometheus::TextSerializer{}.Serialize(metrics.collectable().lock()->Collect());
}

Verdict of_unit(std::optional<std::string> unit) {
	Verdict verdict = full_verdict();
	verdict.owner.unit = std::move(unit);
	return verdict;
}

std::string line(const std::string& unit, int value) {
	return "stalesock_verdicts_total{severity=\"error\"," +
	       (unit.empty() ? "" : "unit=\"" + unit + "\",") + "verdict=\"stale_reuse\"} " +
	       std::to_string(value) + "\n";
}

} // namespace

TEST_CASE("metrics: every verdict is there from the start, at zero", "[sinks][metrics]") {
	const Metrics metrics;
	for (std::size_t i = 0; i < verdict_kind_count; i++) {
		const std::string name(to_string(static_cast<VerdictKind>(i)));
		CHECK_THAT(text_of(metrics), Contains("verdict=\"" + name + "\"} 0\n"));
	}
}

TEST_CASE("metrics: verdicts are counted by unit; of an unknown one there is no label",
          "[sinks][metrics]") {
	Metrics metrics;
	metrics.count(of_unit("nginx.service"));
	metrics.count(of_unit("nginx.service"));
	metrics.count(of_unit(std::nullopt));
	CHECK_THAT(text_of(metrics), Contains(line("nginx.service", 2)) && Contains(line("", 1)));
}

TEST_CASE("metrics: a hostile unit name stays one label", "[sinks][metrics]") {
	Metrics metrics;
	metrics.count(of_unit("a\"} 1\n# \x1b[31m"));
	CHECK_THAT(text_of(metrics), Contains(line("a\\\"} 1\\\\x0a# \\\\x1b[31m", 1)));
}

TEST_CASE("metrics: more units than there may be are counted together", "[sinks][metrics]") {
	Metrics metrics;
	for (std::size_t i = 0; i < Metrics::most_units + 3; i++) {
		metrics.count(of_unit("unit-" + std::to_string(i)));
	}
	metrics.count(of_unit("unit-0"));
	const std::string text = text_of(metrics);
	CHECK_THAT(text, Contains(line("unit-0", 2)) && Contains(line("(other)", 3)));
	CHECK_THAT(text, Contains(line("unit-199", 1)) && !Contains("unit-200"));
}

TEST_CASE("metrics: totals of the watch rise and never fall", "[sinks][metrics]") {
	Metrics metrics;
	WatchState state;
	state.events = 10;
	state.dropped = 3;
	state.connections = 5;
	state.peers_limit = 16'384;
	metrics.set(state);
	state.events = 9;
	state.connections = 4;
	metrics.set(state);
	CHECK_THAT(text_of(metrics),
	           Contains("stalesock_events_total 10\n") &&
	               Contains("stalesock_events_lost_total{reason=\"dropped\"} 3\n") &&
	               Contains("stalesock_connections 4\n") &&
	               Contains("stalesock_peers_limit 16384\n"));
	metrics.describe({"0.1.0", "6.1.0", "trampoline", {"one", "two"}});
	CHECK_THAT(text_of(metrics), Contains("stalesock_gaps 2\n") &&
	                                 Contains("stalesock_info{hook_class=\"trampoline\",kernel=\"6."
	                                          "1.0\",version=\"0.1.0\"} 1\n"));
}

} // namespace stalesock::test
