// SPDX-License-Identifier: Apache-2.0
#include "probe/requirements.hpp"

#include "probe/probe.hpp"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace stalesock {

namespace {

// The kernel's commits: "bpf: Implement BPF ring buffer and verifier support for it", "bpf: Introduce
// bpf_ktime_get_boot_ns", "bpf: Add bpf_skc_to_{tcp, tcp_timewait, tcp_request}_sock() helpers", "bpf: Allow using
// bpf_sk_storage in FENTRY/FEXIT/RAW_TP", "bpf: Add a bpf_sock_from_file helper", "bpf: Add
// bpf_get_current_task_btf", "bpf: Expose bpf_get_socket_cookie to tracing programs", "bpf: Introduce
// bpf_sys_bpf() helper and program type", "bpf: Pass a set of bpf_core_relo-s to prog_load command". Iterators over
// sockets (5.9) and files (5.8) are hooks: what is not known without them is said, and the rest works.
constexpr std::array table{
	Requirement{"BPF ring buffers", {5, 8}, Question::map_type, BPF_MAP_TYPE_RINGBUF},
	Requirement{"calls of bpf_ktime_get_boot_ns() by tracing programs",
                {5, 8},
                Question::tracing_helper,
                BPF_FUNC_ktime_get_boot_ns},
	Requirement{"calls of bpf_skc_to_tcp_sock() by tracing programs",
                {5, 9},
                Question::tracing_helper,
                BPF_FUNC_skc_to_tcp_sock},
	Requirement{"calls of bpf_sk_storage_get() by tracing programs",
                {5, 11},
                Question::tracing_helper,
                BPF_FUNC_sk_storage_get},
	Requirement{"calls of bpf_sock_from_file() by tracing programs",
                {5, 11},
                Question::tracing_helper,
                BPF_FUNC_sock_from_file},
	Requirement{"calls of bpf_get_current_task_btf() by tracing programs",
                {5, 11},
                Question::tracing_helper,
                BPF_FUNC_get_current_task_btf},
	Requirement{"calls of bpf_get_socket_cookie() by tracing programs",
                {5, 12},
                Question::tracing_helper,
                BPF_FUNC_get_socket_cookie},
	Requirement{
		"BPF programs of the type syscall", {5, 14}, Question::program_type, BPF_PROG_TYPE_SYSCALL},
	Requirement{
		"BPF programs that the kernel itself relocates (CO-RE)", {5, 17}, Question::relocation},
};

constexpr bpf_insn instruction(unsigned code, std::uint32_t number = 0) {
	bpf_insn made{};
	made.code = static_cast<std::uint8_t>(code);
	made.imm = static_cast<std::int32_t>(number);
	return made;
}

constexpr std::array return_zero{
	instruction(BPF_ALU64 | BPF_MOV | BPF_K),
	instruction(BPF_JMP | BPF_EXIT),
};

/// The error; 0: it was loaded, and is gone again.
int forget(int fd) {
	if (fd < 0) {
		return -fd;
	}
	close(fd);
	return 0;
}

bool lacks_map_type(std::uint32_t type) {
	constexpr std::uint32_t size =
		64U << 10; // of a ring: a power of two and whole pages, whatever those are
	return forget(bpf_map_create(static_cast<bpf_map_type>(type), nullptr, 0, 0, size, nullptr)) ==
	       EINVAL;
}

bool lacks_program_type(std::uint32_t type) {
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
	return forget(bpf_prog_load(static_cast<bpf_prog_type>(type), nullptr, "GPL",
	                            return_zero.data(), return_zero.size(), &options)) == EINVAL;
}

/// libbpf_probe_bpf_helper() does not do tracing programs. The verifier looks for the helper first, and at its
/// arguments, which are not there, second.
bool lacks_tracing_helper(std::uint32_t helper) {
	const int target = libbpf_find_vmlinux_btf_id("inet_sock_set_state", BPF_TRACE_RAW_TP);
	if (target <= 0) {
		return false; // not known
	}
	const std::array program{
		instruction(BPF_JMP | BPF_CALL, helper),
		instruction(BPF_JMP | BPF_EXIT),
	};
	std::array<char, 4096> log{};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
	            .attach_btf_id = static_cast<std::uint32_t>(target), .log_level = 1,
	            .log_size = log.size(), .log_buf = log.data());
	forget(bpf_prog_load(BPF_PROG_TYPE_TRACING, nullptr, "GPL", program.data(), program.size(),
	                     &options));
	// Newer kernels say the last of a helper that exists for other types of programs.
	const std::string_view said(log.data());
	const auto says = [said](std::string_view words) {
		return said.find(words) != std::string_view::npos;
	};
	return says("invalid func ") || says("unknown func ") ||
	       says("program of this type cannot use helper ");
}

/// An older kernel does not know the field, and refuses what it does not know unless it is zero.
bool lacks_relocation() {
	bpf_attr attributes{};
	attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attributes.insn_cnt = return_zero.size();
	attributes.insns = reinterpret_cast<std::uintptr_t>(return_zero.data());
	attributes.license = reinterpret_cast<std::uintptr_t>("GPL");
	attributes.core_relo_rec_size = sizeof(bpf_core_relo);
	const auto fd =
		static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes)));
	return forget(fd < 0 ? -errno : fd) == E2BIG;
}

bool is_missing(const Requirement& requirement) {
	switch (requirement.question) {
	case Question::map_type: return lacks_map_type(requirement.number);
	case Question::program_type: return lacks_program_type(requirement.number);
	case Question::tracing_helper: return lacks_tracing_helper(requirement.number);
	case Question::relocation: return lacks_relocation();
	}
	return false;
}

bool is_older(const Requirement& left, const Requirement& right) {
	return left.since < right.since;
}

std::string text(LinuxVersion version) {
	return std::to_string(version.major) + "." + std::to_string(version.minor);
}

} // namespace

std::span<const Requirement> requirements() {
	return table;
}

std::string name_too_old(std::span<const Requirement> missing) {
	if (missing.empty()) {
		return {};
	}
	const auto newest = std::max_element(missing.begin(), missing.end(), is_older);
	const auto needed = std::max_element(table.begin(), table.end(), is_older);
	return "this kernel is too old: stalesock needs Linux " + text(needed->since) +
	       " or later; here " + std::string(newest->name) + " are missing, which came with Linux " +
	       text(newest->since);
}

std::string find_too_old() {
	std::vector<Requirement> missing;
	std::copy_if(table.begin(), table.end(), std::back_inserter(missing), is_missing);
	return name_too_old(missing);
}

bool has_programs_on_demand() {
	return !lacks_program_type(BPF_PROG_TYPE_SYSCALL);
}

void refuse(const std::string& reason) {
	const std::string too_old = find_too_old();
	throw KernelRefusal(too_old.empty() ? reason : too_old);
}

} // namespace stalesock
