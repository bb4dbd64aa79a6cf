// SPDX-License-Identifier: Apache-2.0
#include "probe/loading.hpp"

#include "model/exchange_record.hpp"
#include "probe/requirements.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <malloc.h>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace stalesock {

namespace {

/// Shorter silences are part of one conversation; servers with shorter idle timeouts are not in use.
constexpr Nanoseconds shortest_reuse_gap = std::chrono::milliseconds(500);

void configure(stalesock_bpf& skeleton, const ProbeOptions& options,
               std::span<const HookReport> hooks) {
	skeleton.rodata->filter_netns = options.filter.netns;
	skeleton.rodata->filter_pid = static_cast<std::uint32_t>(options.filter.pid);
	skeleton.rodata->filter_port = options.filter.port;
	skeleton.rodata->wakeup_backlog = options.ring_size / 4;
	skeleton.rodata->inventory_backlog = options.ring_size / 2;
	const Candidate* before = chosen_for(Need::late_write_detail, hooks);
	skeleton.rodata->baseline_at_fin = before == nullptr;
	skeleton.rodata->hook_once_per_send =
		before != nullptr && before->mechanism == Mechanism::trampoline;
	skeleton.rodata->keep_exchanges =
		before != nullptr && chosen_for(Need::eof_read, hooks) != nullptr;
	const Candidate* after = chosen_for(Need::late_write, hooks);
	skeleton.rodata->hook_only_after_send =
		before == nullptr && after != nullptr && after->mechanism != Mechanism::iterator;
	bpf_map__set_max_entries(skeleton.maps.events, options.ring_size);
}

/// Opens, sets read-only data and loads the chosen programs. Null when the kernel refuses one.
Skeleton load_chosen(const ProbeOptions& options, std::span<const HookReport> hooks) {
	Skeleton skeleton = open_skeleton();
	for (std::size_t i = 0; i < hooks.size(); i++) {
		if (hooks[i].chosen) {
			enable(*skeleton, candidates()[i].program);
		}
	}
	enable(*skeleton, "read_tick");
	for (bpf_program* iterator : {skeleton->progs.inventory, skeleton->progs.owner_scan,
	                              skeleton->progs.late_scan, skeleton->progs.waiting_scan}) {
		bpf_program__set_autoattach(iterator, false);
	}
	configure(*skeleton, options, hooks);
	return stalesock_bpf__load(skeleton.get()) == 0 ? std::move(skeleton) : Skeleton();
}

std::string name_required_gap(std::span<const HookReport> hooks) {
	for (const HookReport& hook : hooks) {
		if (hook.required && !hook.chosen) {
			return hook.hook + ": " + hook.detail;
		}
	}
	return {};
}

} // namespace

LoadedHooks load_hooks(const ProbeOptions& options) {
	LoadedHooks loaded;
	loaded.reports = survey(options.hooks);
	if (name_required_gap(loaded.reports).empty()) {
		loaded.skeleton = load_chosen(options, loaded.reports);
	}
	if (!loaded.skeleton) { // find out which hook is refused, and go on without it where we can
		loaded.reports = survey_by_trying(options.hooks);
		if (const std::string gap = name_required_gap(loaded.reports); !gap.empty()) {
			refuse(gap);
		}
		loaded.skeleton = load_chosen(options, loaded.reports);
	}
	const int error = errno;
	malloc_trim(0); // the kernel's BTF, several megabytes, was read for each attempt and freed
	if (const std::string missing = name_missing_choice(options.hooks, loaded.reports);
	    !missing.empty()) {
		throw KernelRefusal(missing);
	}
	if (!loaded.skeleton) {
		refuse("the BPF programs cannot be loaded together: " + explain_error(error));
	}
	return loaded;
}

void configure_ages(stalesock_bpf& skeleton, const ProbeOptions& options, Nanoseconds tick) {
	const auto in_ticks = [tick](Nanoseconds time) {
		return static_cast<std::uint32_t>((time + tick - Nanoseconds(1)) / tick);
	};
	skeleton.data->tick_ns = static_cast<std::uint32_t>(tick.count());
	skeleton.bss->reuse_gap_ticks = in_ticks(shortest_reuse_gap);
	skeleton.bss->pause_ticks = in_ticks(shortest_pause);
	skeleton.bss->dirty_idle_ticks = in_ticks(options.dirty_idle);
}

namespace {

std::uint64_t misses_of(const bpf_program* program) {
	bpf_prog_info info{};
	std::uint32_t length = sizeof(info);
	const int fd = bpf_program__fd(program);
	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length) == 0 ? info.recursion_misses : 0;
}

/// Sums over all CPUs; see struct taken_state in bpf/maps.bpf.h.
struct Taken {
	std::uint64_t left = 0;
	std::uint64_t others = 0;
};

Taken taken_of(const stalesock_bpf& skeleton) {
	struct State {
		std::uint64_t socket;
		std::uint64_t new_state;
		std::uint64_t left;
		std::uint64_t others;
	};
	static const int processors = libbpf_num_possible_cpus();
	std::vector<State> states(static_cast<std::size_t>(std::max(processors, 1)));
	const std::uint32_t key = 0;
	Taken sum;
	if (bpf_map_lookup_elem(bpf_map__fd(skeleton.maps.taken), &key, states.data()) == 0) {
		for (const State& state : states) {
			sum.left += state.left;
			sum.others += state.others;
		}
	}
	return sum;
}

/// Every transition is met by both programs or missed by them, and belongs to one. So those that nobody took can be
/// reckoned, as far as the kernel counts each miss: on 6.18 it does not. Those that are under way count as taken: the second
/// number is read last.
std::uint64_t transitions_lost(const stalesock_bpf& skeleton) {
	const std::uint64_t left = taken_of(skeleton).left;
	const std::uint64_t missed = misses_of(skeleton.progs.state_change_by_segment);
	const std::uint64_t others = taken_of(skeleton).others;
	return left + missed - std::min(left + missed, others);
}

} // namespace

MissedRuns missed_runs(const stalesock_bpf& skeleton) {
	MissedRuns missed{.lost = transitions_lost(skeleton)};
	bpf_program* program = nullptr;
	bpf_object__for_each_program (program, skeleton.obj) {
		const std::uint64_t misses = misses_of(program);
		missed.all += misses;
		if (program != skeleton.progs.state_change_by_segment &&
		    program != skeleton.progs.state_change_by_process) {
			missed.lost += misses;
		}
	}
	return missed;
}

} // namespace stalesock
