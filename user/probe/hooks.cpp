// SPDX-License-Identifier: Apache-2.0
#include "probe/hooks.hpp"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>

namespace stalesock {

namespace {

constexpr std::array<Candidate, 10> table{{
	{Need::peer_state_change, "state_change_by_segment", "tp_btf/inet_sock_set_state",
     "inet_sock_set_state", true, "nothing can be said without it"},
	{Need::own_state_change, "state_change_by_process", "tp_btf/inet_sock_set_state",
     "inet_sock_set_state", true, "nothing can be said without it"},
	{Need::late_write_detail, "send_begin", "tp_btf/tcp_sendmsg_locked", "tcp_sendmsg_locked",
     false, "a TLS farewell and a request look the same; every FIN costs a storage"},
	{Need::late_write, "send_end", "tp_btf/sock_send_length", "sock_send_length", false,
     "a late write is reported when the connection ends, without its writer and time"},
	{Need::eof_read, "receive_end", "tp_btf/sock_recv_length", "sock_recv_length", false,
     "whether the application had read the end of file is only known from counters"},
	{Need::keepalive_probe, "timer_expiry", "tp_btf/timer_expire_entry", "timer_expire_entry",
     false, "keepalive probes are not counted"},
	{Need::retransmit, "retransmit", "tp_btf/tcp_retransmit_skb", "tcp_retransmit_skb", false,
     "unanswered retransmissions are only known from counters"},
	{Need::destroy, "destroy", "tp_btf/tcp_destroy_sock", "tcp_destroy_sock", false,
     "a short late write that was reset is judged without what the application did next"},
	{Need::inventory, "inventory", "iter/tcp", "", false,
     "connections opened before stalesock are unknown until something happens to them"},
	{Need::owner_scan, "owner_scan", "iter/task_file", "", false,
     "the owner of accepted and of older connections is unknown until it writes or closes"},
}};

struct BtfDeleter {
	void operator()(btf* types) const { btf__free(types); }
};

bool exists(const btf* types, const Candidate& candidate) {
	if (candidate.trace_point.empty()) {
		return true;
	}
	const std::string name = "btf_trace_" + std::string(candidate.trace_point);
	return btf__find_by_name_kind(types, name.c_str(), BTF_KIND_TYPEDEF) > 0;
}

HookReport report_of(const Candidate& candidate, std::string refusal) {
	HookReport report;
	report.need = candidate.need;
	report.hook = candidate.hook;
	report.required = candidate.required;
	report.available = refusal.empty();
	report.detail = std::move(refusal);
	if (!report.available) {
		report.consequence = candidate.consequence;
	}
	return report;
}

template <typename Refusal> std::vector<HookReport> survey_with(Refusal refusal_of) {
	std::vector<HookReport> reports;
	for (const Candidate& candidate : table) {
		HookReport report = report_of(candidate, refusal_of(candidate));
		report.chosen = report.available &&
		                std::none_of(reports.begin(), reports.end(), [&](const HookReport& other) {
							return other.need == report.need && other.chosen;
						});
		reports.push_back(std::move(report));
	}
	return reports;
}

} // namespace

std::span<const Candidate> candidates() {
	return table;
}

std::string explain_error(int error) {
	switch (error) {
	case EPERM:
		return "refused with EPERM: CAP_BPF and CAP_PERFMON are needed in the initial user "
			   "namespace";
	case EACCES: return "refused by the verifier (EACCES)";
	case EINVAL: return "refused by the verifier (EINVAL)";
	case ESRCH:
	case ENOENT: return "this kernel does not have it";
	case ENOMEM: return "out of memory, or over RLIMIT_MEMLOCK";
	case ENOSPC:
	case E2BIG: return "too large for this kernel";
	default: return std::strerror(error); // NOLINT(concurrency-mt-unsafe): one thread
	}
}

Skeleton open_skeleton() {
	Skeleton skeleton(stalesock_bpf__open());
	if (!skeleton) {
		throw KernelRefusal("the BPF object cannot be opened: " + explain_error(errno));
	}
	bpf_program* program = nullptr;
	bpf_object__for_each_program (program, skeleton->obj) {
		bpf_program__set_autoload(program, false);
	}
	return skeleton;
}

bool enable(const stalesock_bpf& skeleton, std::string_view program) {
	bpf_program* found =
		bpf_object__find_program_by_name(skeleton.obj, std::string(program).c_str());
	return found != nullptr && bpf_program__set_autoload(found, true) == 0;
}

std::string try_candidate(const Candidate& candidate) {
	const Skeleton skeleton = open_skeleton();
	enable(*skeleton, candidate.program);
	if (const int error = stalesock_bpf__load(skeleton.get()); error != 0) {
		return explain_error(-error);
	}
	if (const int error = stalesock_bpf__attach(skeleton.get()); error != 0) {
		return explain_error(-error);
	}
	return {};
}

std::vector<HookReport> survey() {
	const std::unique_ptr<btf, BtfDeleter> types(btf__load_vmlinux_btf());
	if (!types) {
		throw KernelRefusal(
			"/sys/kernel/btf/vmlinux cannot be read: stalesock needs a kernel built "
			"with CONFIG_DEBUG_INFO_BTF");
	}
	return survey_with([&](const Candidate& candidate) {
		return exists(types.get(), candidate) ? std::string() : explain_error(ENOENT);
	});
}

std::vector<HookReport> survey_by_trying() {
	return survey_with(try_candidate);
}

std::string hook_class_of(std::span<const HookReport> reports) {
	const auto served = [&](Need need) {
		return std::any_of(reports.begin(), reports.end(), [&](const HookReport& report) {
			return report.need == need && report.chosen;
		});
	};
	if (!served(Need::peer_state_change) || !served(Need::own_state_change)) {
		return {};
	}
	return served(Need::late_write) ? "tracepoint" : "none";
}

std::string_view to_string(Need need) {
	switch (need) {
	case Need::peer_state_change: return "state changes by the peer";
	case Need::own_state_change: return "state changes by processes";
	case Need::late_write: return "write after FIN";
	case Need::late_write_detail: return "payload head";
	case Need::eof_read: return "EOF read";
	case Need::keepalive_probe: return "keepalive probe";
	case Need::retransmit: return "retransmission";
	case Need::destroy: return "end of socket";
	case Need::inventory: return "inventory";
	case Need::owner_scan: return "owners";
	}
	return "unknown";
}

} // namespace stalesock
