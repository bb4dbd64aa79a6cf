// SPDX-License-Identifier: Apache-2.0
#include "probe/hooks.hpp"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

namespace stalesock {

namespace {

constexpr std::string_view seen_late =
	"a late write is seen by a scan (--scan-interval) or at the end, without its writer and time";

// For each need in order of preference.
constexpr std::array table{
	Candidate{Need::peer_state_change, Mechanism::tracepoint, "state_change_by_segment",
              "tp_btf/inet_sock_set_state", "inet_sock_set_state"},
	Candidate{Need::own_state_change, Mechanism::tracepoint, "state_change_by_process",
              "tp_btf/inet_sock_set_state", "inet_sock_set_state"},
	Candidate{Need::late_write_detail, Mechanism::tracepoint, "send_begin",
              "tp_btf/tcp_sendmsg_locked", "tcp_sendmsg_locked"},
	Candidate{Need::late_write_detail, Mechanism::trampoline, "send_begin_fentry",
              "fentry/tcp_sendmsg_locked", "tcp_sendmsg_locked"},
	Candidate{Need::late_write, Mechanism::tracepoint, "send_end", "tp_btf/sock_send_length",
              "sock_send_length"},
	Candidate{Need::late_write, Mechanism::trampoline, "send_end_fexit", "fexit/tcp_sendmsg_locked",
              "tcp_sendmsg_locked"},
	Candidate{Need::late_write, Mechanism::iterator, "late_scan", "iter/tcp", "", seen_late},
	Candidate{Need::late_pages_begin, Mechanism::trampoline, "send_pages_begin_fentry",
              "fentry/do_tcp_sendpages", "do_tcp_sendpages"},
	Candidate{Need::late_pages, Mechanism::trampoline, "send_pages_end_fexit",
              "fexit/do_tcp_sendpages", "do_tcp_sendpages"},
	Candidate{Need::eof_read, Mechanism::tracepoint, "receive_end", "tp_btf/sock_recv_length",
              "sock_recv_length"},
	Candidate{Need::eof_read, Mechanism::trampoline, "receive_end_fexit", "fexit/tcp_recvmsg",
              "tcp_recvmsg"},
	Candidate{Need::eof_splice, Mechanism::trampoline, "splice_end_fexit", "fexit/tcp_splice_read",
              "tcp_splice_read"},
	Candidate{Need::keepalive_probe, Mechanism::tracepoint, "timer_expiry",
              "tp_btf/timer_expire_entry", "timer_expire_entry"},
	Candidate{Need::retransmit, Mechanism::tracepoint, "retransmit", "tp_btf/tcp_retransmit_skb",
              "tcp_retransmit_skb"},
	Candidate{Need::destroy, Mechanism::tracepoint, "destroy", "tp_btf/tcp_destroy_sock",
              "tcp_destroy_sock"},
	Candidate{Need::inventory, Mechanism::iterator, "inventory", "iter/tcp", ""},
	Candidate{Need::owner_scan, Mechanism::iterator, "owner_scan", "iter/task_file", ""},
};

bool is_required(Need need) {
	return need == Need::peer_state_change || need == Need::own_state_change;
}

/// What is not known while nothing serves the need.
std::string_view consequence_of(Need need) {
	switch (need) {
	case Need::peer_state_change:
	case Need::own_state_change: return "nothing can be said without it";
	case Need::late_write: return seen_late;
	case Need::late_pages:
		return "a late write by sendfile or splice is reported when the connection ends, without "
			   "its "
			   "writer and time";
	case Need::late_write_detail:
		return "a TLS farewell and a request look the same; every FIN costs a storage";
	case Need::late_pages_begin: return ""; // late_pages says it
	case Need::eof_read:
		return "whether the application had read the end of file is only known from counters";
	case Need::eof_splice: return "an end of file read by splice() is not noticed";
	case Need::keepalive_probe: return "keepalive probes are not counted";
	case Need::retransmit: return "unanswered retransmissions are only known from counters";
	case Need::destroy:
		return "a short late write that was reset is judged without what the application did next";
	case Need::inventory:
		return "connections opened before stalesock are unknown until something happens to them";
	case Need::owner_scan:
		return "the owner of accepted and of older connections is unknown until it writes or "
			   "closes";
	}
	return "";
}

/// Kernels where sendfile and splice send messages like everybody (6.5) have nothing to hook there.
bool is_moot_without_target(Need need) {
	return need == Need::late_pages || need == Need::late_pages_begin;
}

bool is_about_traffic(Need need) {
	switch (need) {
	case Need::late_write:
	case Need::late_pages:
	case Need::late_write_detail:
	case Need::late_pages_begin:
	case Need::eof_read:
	case Need::eof_splice: return true;
	default: return false;
	}
}

bool is_allowed(const Candidate& candidate, HookChoice choice) {
	if (!is_about_traffic(candidate.need) || candidate.mechanism == Mechanism::iterator) {
		return true;
	}
	switch (choice) {
	case HookChoice::automatic: return true;
	case HookChoice::tracepoint: return candidate.mechanism == Mechanism::tracepoint;
	case HookChoice::trampoline: return candidate.mechanism == Mechanism::trampoline;
	case HookChoice::none: return false;
	}
	return false;
}

struct BtfDeleter {
	void operator()(btf* types) const { btf__free(types); }
};

using Btf = std::unique_ptr<btf, BtfDeleter>;

Btf kernel_types() {
	Btf types(btf__load_vmlinux_btf());
	if (!types) {
		throw KernelRefusal(
			"/sys/kernel/btf/vmlinux cannot be read: stalesock needs a kernel built "
			"with CONFIG_DEBUG_INFO_BTF");
	}
	return types;
}

bool exists(const btf* types, const Candidate& candidate) {
	const std::string target(candidate.target);
	switch (candidate.mechanism) {
	case Mechanism::iterator: return true;
	case Mechanism::tracepoint:
		return btf__find_by_name_kind(types, ("btf_trace_" + target).c_str(), BTF_KIND_TYPEDEF) > 0;
	case Mechanism::trampoline:
		return btf__find_by_name_kind(types, target.c_str(), BTF_KIND_FUNC) > 0;
	}
	return false;
}

bool is_served(std::span<const HookReport> reports, Need need) {
	return std::any_of(reports.begin(), reports.end(), [&](const HookReport& report) {
		return report.need == need && report.chosen;
	});
}

HookReport report_of(const Candidate& candidate, Refusal refusal) {
	HookReport report;
	report.need = candidate.need;
	report.hook = candidate.hook;
	report.required = is_required(candidate.need);
	report.available = refusal.reason.empty();
	report.detail = std::move(refusal.reason);
	report.log = std::move(refusal.log);
	report.consequence = report.available ? candidate.weakness : consequence_of(candidate.need);
	return report;
}

HookReport report_of_absent(const Candidate& candidate) {
	HookReport report = report_of(candidate, {explain_error(ENOENT), {}});
	if (is_moot_without_target(candidate.need)) {
		report.detail = "not needed: this kernel sends pages as messages";
		report.consequence.clear();
	}
	return report;
}

void choose(HookReport& report, const Candidate& candidate, HookChoice choice,
            std::span<const HookReport> earlier) {
	const bool allowed = is_allowed(candidate, choice);
	if (report.available && !allowed) {
		report.detail = "left out by --hooks " + std::string(to_string(choice));
		report.consequence = consequence_of(candidate.need);
	}
	report.chosen = report.available && allowed && !is_served(earlier, candidate.need);
}

/// Tries whatever `worth_trying` says on top of its existence.
template <typename WorthTrying>
std::vector<HookReport> survey_with(HookChoice choice, WorthTrying worth_trying) {
	const Btf types = kernel_types();
	std::vector<HookReport> reports;
	for (const Candidate& candidate : table) {
		HookReport report = report_of_absent(candidate);
		if (exists(types.get(), candidate)) {
			const bool tried = worth_trying(candidate, reports);
			report = report_of(candidate, tried ? try_candidate(candidate) : Refusal{});
		}
		choose(report, candidate, choice, reports);
		reports.push_back(std::move(report));
	}
	return reports;
}

/// Where privileges are not the question, which is settled before: no function tracing, or an architecture
/// whose trampolines came later (arm64 before 6.4: ENOTSUPP, which user space has no name for).
bool is_lack_of_trampolines(int error) {
	constexpr int not_supported = 524;
	return error == EPERM || error == EOPNOTSUPP || error == not_supported;
}

/// libbpf's words, when somebody wants to keep them. One thread.
std::string* log_of_refusal = nullptr;

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
	std::array<char, 65'536> text{};
	if (log_of_refusal != nullptr && level <= LIBBPF_INFO &&
	    std::vsnprintf(text.data(), text.size(), format, arguments) > 0) {
		*log_of_refusal += text.data();
	}
	return 0;
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
	libbpf_set_print(keep_words);
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

Refusal try_candidate(const Candidate& candidate) {
	Refusal refusal;
	log_of_refusal = &refusal.log;
	const Skeleton skeleton = open_skeleton();
	enable(*skeleton, candidate.program);
	int error = stalesock_bpf__load(skeleton.get());
	if (error == 0) {
		error = stalesock_bpf__attach(skeleton.get());
	}
	log_of_refusal = nullptr;
	if (error == 0) {
		return {};
	}
	refusal.reason = candidate.mechanism == Mechanism::trampoline && is_lack_of_trampolines(-error)
	                     ? "this kernel attaches no trampolines"
	                     : explain_error(-error);
	return refusal;
}

std::vector<HookReport> survey(HookChoice choice) {
	return survey_with(choice, [&](const Candidate& candidate, std::span<const HookReport> known) {
		return candidate.mechanism == Mechanism::trampoline && is_allowed(candidate, choice) &&
		       !is_served(known, candidate.need);
	});
}

std::vector<HookReport> survey_by_trying(HookChoice choice) {
	return survey_with(choice, [](const Candidate&, std::span<const HookReport>) { return true; });
}

const Candidate* chosen_for(Need need, std::span<const HookReport> reports) {
	for (std::size_t i = 0; i < reports.size(); i++) {
		if (reports[i].chosen && reports[i].need == need) {
			return &table.at(i);
		}
	}
	return nullptr;
}

std::string hook_class_of(std::span<const HookReport> reports) {
	if (!is_served(reports, Need::peer_state_change) ||
	    !is_served(reports, Need::own_state_change)) {
		return {};
	}
	const auto served_by = [&](Need need, Mechanism mechanism) {
		const Candidate* candidate = chosen_for(need, reports);
		return candidate != nullptr && candidate->mechanism == mechanism;
	};
	if (served_by(Need::late_write, Mechanism::trampoline) ||
	    served_by(Need::late_write_detail, Mechanism::trampoline)) {
		return "trampoline";
	}
	return served_by(Need::late_write, Mechanism::tracepoint) ? "tracepoint" : "none";
}

std::string_view to_string(HookChoice choice) {
	switch (choice) {
	case HookChoice::automatic: return "automatic";
	case HookChoice::tracepoint: return "tracepoint";
	case HookChoice::trampoline: return "trampoline";
	case HookChoice::none: return "none";
	}
	return "unknown";
}

std::string_view to_string(Need need) {
	switch (need) {
	case Need::peer_state_change: return "state changes by the peer";
	case Need::own_state_change: return "state changes by processes";
	case Need::late_write: return "write after FIN";
	case Need::late_pages: return "pages written after FIN";
	case Need::late_write_detail: return "payload head";
	case Need::late_pages_begin: return "pages about to be written";
	case Need::eof_read: return "EOF read";
	case Need::eof_splice: return "EOF read by splice";
	case Need::keepalive_probe: return "keepalive probe";
	case Need::retransmit: return "retransmission";
	case Need::destroy: return "end of socket";
	case Need::inventory: return "inventory";
	case Need::owner_scan: return "owners";
	}
	return "unknown";
}

} // namespace stalesock
