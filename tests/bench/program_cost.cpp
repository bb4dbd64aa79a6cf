// SPDX-License-Identifier: Apache-2.0
// bpf_stats of each program. What the counting itself costs is had from empty programs on the same
// hooks in the same run.
#include "sections.hpp"

#include "app/network_namespace.hpp"
#include "child.hpp"
#include "loopback.hpp"
#include "programs.hpp"
#include "statistics.hpp"
#include "tracers.hpp"

#include <fmt/format.h>
#include <functional>
#include <vector>

namespace bench {

namespace {

constexpr double send_target_ns = 15;
constexpr double receive_target_ns = 20;
constexpr int repetitions = 5;

struct Measured {
	RunsByName ours;
	RunsByName empty;
};

/// Runs the workload in a private namespace with both sets of programs attached.
Measured measure_once(const std::function<void()>& workload) {
	const auto empty = trace_with_empty_programs();
	const auto tracer = trace_with_stalesock();
	const StatsSwitch stats;
	const RunsByName ours = runs_of(tracer->pid());
	const RunsByName nothing = runs_of(empty->pid());
	in_child([&] {
		pin_to(workload_cpu);
		stalesock::enter_private_network_namespace();
		workload();
		return true;
	});
	Measured result{difference(runs_of(tracer->pid()), ours),
	                difference(runs_of(empty->pid()), nothing)};
	tracer->finish();
	empty->finish();
	return result;
}

/// The empty program on the hook of one of ours. The kernel keeps 15 characters of a name.
std::string empty_for(const std::string& program) {
	static const std::map<std::string, std::string> names{
		{"state_change_by", "empty_state"}, {"send_begin", "empty_begin"},
		{"send_end", "empty_send"},         {"receive_end", "empty_receive"},
		{"timer_expiry", "empty_timer"},    {"destroy", "empty_destroy"},
	};
	const auto found = names.find(program);
	return found == names.end() ? std::string() : found->second;
}

double net_of(const Measured& measured, const std::string& program) {
	const auto empty = measured.empty.find(empty_for(program));
	const auto ours = measured.ours.find(program);
	if (empty == measured.empty.end() || ours == measured.ours.end()) {
		return 0;
	}
	return ours->second.each() - empty->second.each();
}

/// Programs of others on the same hooks do not count into ours: only the caches feel them.
std::vector<Measured> measure(const std::function<void()>& workload) {
	std::vector<Measured> all;
	all.reserve(repetitions);
	for (int i = 0; i < repetitions; i++) {
		all.push_back(measure_once(workload));
	}
	return all;
}

double median_net(const std::vector<Measured>& all, const std::string& program) {
	std::vector<double> values;
	values.reserve(all.size());
	for (const Measured& one : all) {
		values.push_back(net_of(one, program));
	}
	return median(values);
}

double median_empty(const std::vector<Measured>& all, const std::string& name) {
	std::vector<double> values;
	for (const Measured& one : all) {
		const auto found = one.empty.find(name);
		if (found != one.empty.end()) {
			values.push_back(found->second.each());
		}
	}
	return median(values);
}

Row row_with_target(std::string what, double measured, double target) {
	return {std::move(what), fmt::format("<= {:.0f} ns", target),
	        fmt::format("{:.1f} ns", measured), judge(measured <= target)};
}

} // namespace

Table measure_idle_programs(const Size& size) {
	const std::vector<Measured> all = measure([&] { run_ping_pong(size.messages); });
	const double begin = median_net(all, "send_begin");
	const double end = median_net(all, "send_end");
	Table table;
	table.push_back({"an empty program, as counted (send, receive)", "",
	                 fmt::format("{:.1f} ns, {:.1f} ns", median_empty(all, "empty_send"),
	                             median_empty(all, "empty_receive")),
	                 Outcome::information});
	table.push_back({"send_begin (tcp_sendmsg_locked)", "", fmt::format("{:.1f} ns", begin),
	                 Outcome::information});
	table.push_back(
		{"send_end (sock_send_length)", "", fmt::format("{:.1f} ns", end), Outcome::information});
	table.push_back(row_with_target("both send hooks", begin + end, send_target_ns));
	table.push_back(row_with_target("receive_end (sock_recv_length)",
	                                median_net(all, "receive_end"), receive_target_ns));
	return table;
}

Table measure_programs_of_a_connection(const Size& size) {
	const std::uint32_t count = size.connections;
	const std::vector<Measured> all = measure([&] { (void)ConnectionMaker().run(count); });
	Table table;
	double sum = 0;
	for (const auto& [program, runs] : all.front().ours) {
		if (program == "retransmit" || runs.runs < count / 100) {
			continue;
		}
		const double each = median_net(all, program);
		const double number = static_cast<double>(runs.runs) / (count + ConnectionMaker::warm_up);
		sum += each * number;
		table.push_back({program, "",
		                 fmt::format("{:.2f} x {:.1f} ns = {:.0f} ns", number, each, each * number),
		                 Outcome::information});
	}
	table.push_back({"sum for a connection, both ends", "", fmt::format("{:.0f} ns", sum),
	                 Outcome::information});
	return table;
}

} // namespace bench
