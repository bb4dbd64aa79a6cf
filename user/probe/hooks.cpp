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

enum class Presence : std::uint8_t { present, absent, other_parameters };

/// A program that was written for more or fewer parameters would be refused or, worse, take one for the result.
Presence presence_of_function(const btf* types, const Candidate& candidate) {
	const int id =
		btf__find_by_name_kind(types, std::string(candidate.target).c_str(), BTF_KIND_FUNC);
	if (id <= 0) {
		return Presence::absent;
	}
	const btf_type* function = btf__type_by_id(types, static_cast<std::uint32_t>(id));
	const btf_type* prototype = btf__type_by_id(types, function->type);
	const bool fits = candidate.parameters == 0 || btf_vlen(prototype) == candidate.parameters;
	return fits ? Presence::present : Presence::other_parameters;
}

Presence presence_of(const btf* types, const Candidate& candidate) {
	const std::string typedef_name = "btf_trace_" + std::string(candidate.target);
	switch (candidate.mechanism) {
	case Mechanism::iterator: return Presence::present;
	case Mechanism::tracepoint:
		return btf__find_by_name_kind(types, typedef_name.c_str(), BTF_KIND_TYPEDEF) > 0
		           ? Presence::present
		           : Presence::absent;
	case Mechanism::trampoline: return presence_of_function(types, candidate);
	}
	return Presence::absent;
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

HookReport report_of_absent(const Candidate& candidate, Presence presence) {
	if (presence == Presence::other_parameters) {
		return report_of(candidate, {"the function has other parameters in this kernel", {}});
	}
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
	for (const Candidate& candidate : candidates()) {
		const Presence presence = presence_of(types.get(), candidate);
		HookReport report = report_of_absent(candidate, presence);
		if (presence == Presence::present) {
			const bool tried = worth_trying(candidate, reports);
			report = report_of(candidate, tried ? try_candidate(candidate) : Refusal{});
		}
		choose(report, candidate, choice, reports);
		reports.push_back(std::move(report));
	}
	return reports;
}

/// Where privileges are not the question, which is settled before: no function tracing, or an architecture
/// whose trampolines came later (ENOTSUPP, which user space has no name for, before "arm64: ftrace: Add direct
/// call support", 6.4).
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
			return &candidates()[i];
		}
	}
	return nullptr;
}

std::string name_missing_choice(HookChoice choice, std::span<const HookReport> hooks) {
	if (choice != HookChoice::tracepoint && choice != HookChoice::trampoline) {
		return {};
	}
	const Mechanism wanted =
		choice == HookChoice::tracepoint ? Mechanism::tracepoint : Mechanism::trampoline;
	for (std::size_t i = 0; i < hooks.size(); i++) {
		const Candidate& candidate = candidates()[i];
		if (candidate.need == Need::late_write && candidate.mechanism == wanted &&
		    !hooks[i].chosen) {
			return "--hooks " + std::string(to_string(choice)) + ": " + hooks[i].hook + ": " +
			       hooks[i].detail;
		}
	}
	return {};
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

} // namespace stalesock
