// SPDX-License-Identifier: Apache-2.0
#include "programs.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <linux/bpf.h>
#include <set>
#include <system_error>
#include <utility>

namespace bench {

namespace {

namespace fs = std::filesystem;

bpf_prog_info info_of(int descriptor) {
	bpf_prog_info info{};
	std::uint32_t length = sizeof(info);
	if (bpf_obj_get_info_by_fd(descriptor, &info, &length) != 0) {
		throw std::system_error(errno, std::generic_category(), "BPF_OBJ_GET_INFO_BY_FD");
	}
	return info;
}

std::set<std::uint32_t> program_ids_of(pid_t pid) {
	std::set<std::uint32_t> ids;
	std::error_code ignored;
	for (const auto& entry :
	     fs::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo", ignored)) {
		std::ifstream file(entry.path());
		std::string key;
		std::uint32_t id = 0;
		while (file >> key) {
			if (key == "prog_id:" && file >> id) {
				ids.insert(id);
			}
		}
	}
	return ids;
}

bool is_tracing(std::uint32_t type) {
	return type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_RAW_TRACEPOINT ||
	       type == BPF_PROG_TYPE_TRACEPOINT || type == BPF_PROG_TYPE_KPROBE ||
	       type == BPF_PROG_TYPE_PERF_EVENT;
}

std::set<std::uint32_t> tracing_ids() {
	std::set<std::uint32_t> ids;
	std::uint32_t id = 0;
	while (bpf_prog_get_next_id(id, &id) == 0) {
		const Descriptor program{bpf_prog_get_fd_by_id(id)};
		if (program.valid() && is_tracing(info_of(program.get()).type)) {
			ids.insert(id);
		}
	}
	return ids;
}

/// Ids are given in turn: the id of a program loaded now tells how many were loaded since.
std::uint32_t load_one() {
	const bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
	const Descriptor program{bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "bench_id", "GPL", code,
	                                       std::size(code), nullptr)};
	if (!program.valid()) {
		throw std::system_error(errno, std::generic_category(), "BPF_PROG_LOAD");
	}
	return info_of(program.get()).id;
}

bool only_of(const std::vector<pid_t>& expected) {
	std::set<std::uint32_t> found = tracing_ids();
	for (const pid_t pid : expected) {
		for (const std::uint32_t id : program_ids_of(pid)) {
			found.erase(id);
		}
	}
	return found.empty();
}

} // namespace

ProgramRuns operator-(const ProgramRuns& after, const ProgramRuns& before) {
	return {after.runs - before.runs, after.nanoseconds - before.nanoseconds};
}

StatsSwitch::StatsSwitch() : descriptor_(bpf_enable_stats(BPF_STATS_RUN_TIME)) {
	if (!descriptor_.valid()) {
		throw std::system_error(errno, std::generic_category(), "BPF_ENABLE_STATS");
	}
}

RunsByName runs_of(pid_t pid) {
	RunsByName runs;
	for (const std::uint32_t id : program_ids_of(pid)) {
		const Descriptor program{bpf_prog_get_fd_by_id(id)};
		if (program.valid()) {
			const bpf_prog_info info = info_of(program.get());
			ProgramRuns& sum = runs[info.name];
			sum.runs += info.run_cnt;
			sum.nanoseconds += info.run_time_ns;
		}
	}
	return runs;
}

RunsByName difference(const RunsByName& after, const RunsByName& before) {
	RunsByName result;
	for (const auto& [name, runs] : after) {
		const auto found = before.find(name);
		const ProgramRuns delta = found == before.end() ? runs : runs - found->second;
		if (delta.runs > 0) {
			result[name] = delta;
		}
	}
	return result;
}

Quiet::Quiet(std::vector<pid_t> expected)
	: expected_(std::move(expected)), next_id_(load_one() + 1),
	  quiet_at_start_(only_of(expected_)) {}

bool Quiet::undisturbed() const {
	return quiet_at_start_ && load_one() == next_id_;
}

} // namespace bench
