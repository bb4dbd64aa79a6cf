// SPDX-License-Identifier: Apache-2.0
// What tracing adds to a connection's life: every traced round between two untraced ones of
// the same process.
#include "sections.hpp"

#include "app/network_namespace.hpp"
#include "child.hpp"
#include "loopback.hpp"
#include "programs.hpp"
#include "statistics.hpp"
#include "tracers.hpp"

#include <fmt/format.h>
#include <functional>
#include <memory>
#include <vector>

namespace bench {

namespace {

constexpr double target_us = 2.0;
/// bcc's tools compile for seconds before they begin.
constexpr std::uint32_t rounds_per_bcc_round = 4;

struct Untraced {
	std::vector<double> cpu_us;
	std::vector<double> wall_us;

	void add(const Spent& spent) {
		cpu_us.push_back(spent.cpu_us);
		wall_us.push_back(spent.wall_us);
	}
};

struct Kind {
	std::string name;
	std::function<std::unique_ptr<Tracer>()> start;
	std::uint32_t every = 1; ///< takes part in every so many rounds
	std::vector<double> cpu_us;
	std::vector<double> added_us; ///< to the untraced half rounds before and after
	Losses losses;
	std::uint32_t disturbed = 0;
	std::string refusal;
};

/// A process that makes connections when told to, in a network namespace of its own. One process for all
/// kinds in turn: two processes differ by more than what is to be measured.
class Workload {
  public:
	Workload() : child_(&Workload::serve) {}

	Spent run(std::uint32_t connections) {
		child_.order(connections);
		made_ += connections + ConnectionMaker::warm_up;
		return child_.receive<Spent>();
	}
	/// The namespace holds as many in TIME_WAIT (net.ipv4.tcp_max_tw_buckets).
	[[nodiscard]] bool worn_out() const { return made_ > most_connections; }

  private:
	static constexpr std::uint32_t most_connections = 90'000;

	static void serve(int answers, int orders) {
		pin_to(workload_cpu);
		stalesock::enter_private_network_namespace();
		ConnectionMaker maker;
		std::uint32_t count = 0;
		while (next_order(orders, count)) {
			send(answers, maker.run(count));
		}
	}

	Child child_;
	std::uint32_t made_ = 0;
};

/// Half a round without, a round with the tracer, half a round without.
void measure_round(Workload& workload, Kind& kind, Untraced& untraced, std::uint32_t connections) {
	const Spent before = workload.run(connections / 2);
	const std::unique_ptr<Tracer> tracer = kind.start();
	const Quiet quiet({tracer->pid()});
	const Spent spent = workload.run(connections);
	kind.disturbed += quiet.undisturbed() ? 0 : 1;
	const Losses losses = tracer->finish();
	kind.losses.events += losses.events;
	kind.losses.lost += losses.lost;
	const Spent after = workload.run(connections / 2);
	untraced.add(before);
	untraced.add(after);
	kind.cpu_us.push_back(spent.cpu_us);
	kind.added_us.push_back(spent.cpu_us - (before.cpu_us + after.cpu_us) / 2);
}

void measure_round(std::unique_ptr<Workload>& workload, Kind& kind, Untraced& untraced,
                   std::uint32_t connections) {
	if (!workload || workload->worn_out()) {
		workload.reset();
		workload = std::make_unique<Workload>();
		(void)workload->run(connections / 4);
	}
	try {
		measure_round(*workload, kind, untraced, connections);
	} catch (const std::runtime_error& error) {
		kind.refusal = error.what();
		workload.reset();
	}
}

std::string lost_of(const Kind& kind) {
	const auto total = static_cast<double>(kind.losses.events + kind.losses.lost);
	const double share = total > 0 ? 1e6 * static_cast<double>(kind.losses.lost) / total : 0;
	return fmt::format("{} of {:.0f} ({:.0f} per million)", kind.losses.lost, total, share);
}

void add_rows(Table& table, const Kind& kind, const Untraced& untraced) {
	if (!kind.refusal.empty()) {
		table.push_back({kind.name, "", kind.refusal, Outcome::unavailable});
		return;
	}
	const bool ours = kind.name == "stalesock";
	const double added = median(kind.added_us);
	table.push_back({kind.name + " adds", ours ? fmt::format("<= +{:.1f} us", target_us) : "",
	                 fmt::format("{:+.2f} us ({:+.2f} .. {:+.2f}), {:+.1f} %", added,
	                             quantile(kind.added_us, 0.25), quantile(kind.added_us, 0.75),
	                             100 * added / median(untraced.cpu_us)),
	                 ours ? judge(added <= target_us) : Outcome::information});
	table.push_back({kind.name + ": events lost", ours ? "0" : "", lost_of(kind),
	                 ours ? judge(kind.losses.lost == 0) : Outcome::information});
}

std::vector<Kind> kinds_of(const Size& size) {
	std::vector<Kind> kinds(1);
	kinds[0].name = "stalesock";
	kinds[0].start = [] { return trace_with_stalesock(); };
	for (const std::string& path : size.builds) {
		Kind& kind = kinds.emplace_back();
		kind.name = path;
		kind.start = [path] { return trace_with_build(path); };
	}
	if (size.bcc) {
		for (const char* tool : {"tcpstates", "tcplife"}) {
			Kind& kind = kinds.emplace_back();
			kind.name = tool;
			kind.every = rounds_per_bcc_round;
			kind.start = [tool] { return trace_with_bcc(std::string(tool) + "-bpfcc"); };
		}
	}
	return kinds;
}

} // namespace

Table measure_connections(const Size& size) {
	std::vector<Kind> kinds = kinds_of(size);
	Untraced untraced;
	std::unique_ptr<Workload> workload;
	for (std::uint32_t round = 0; round < size.rounds; round++) {
		for (Kind& kind : kinds) {
			if (round % kind.every == 0 && kind.refusal.empty()) {
				measure_round(workload, kind, untraced, size.connections);
			}
		}
	}
	Table table{
		{"untraced", "",
	     fmt::format("{:.2f} us (wall {:.2f})", median(untraced.cpu_us), median(untraced.wall_us)),
	     Outcome::information}};
	std::uint32_t disturbed = 0;
	for (const Kind& kind : kinds) {
		add_rows(table, kind, untraced);
		disturbed += kind.disturbed;
	}
	if (disturbed > 0) {
		table.push_back({"rounds with tracing programs of others", "0",
		                 fmt::format("{}", disturbed), Outcome::information});
	}
	return table;
}

} // namespace bench
