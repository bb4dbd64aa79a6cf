// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.hpp"

#include "app/exit_codes.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "app/version.hpp"
#include "model/escape.hpp"
#include "sinks/json_field.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stalesock {

namespace {

/// About what one run of the hook costs when it has nothing to report, and how often it runs.
struct Cost {
	unsigned nanoseconds = 0;
	const char* occasion = "";
};

Cost cost_of(const HookReport& hook) {
	if (hook.need == Need::late_write && hook.hook == "iter/tcp") {
		return {350, "for each existing socket, at every scan"};
	}
	switch (hook.need) {
	case Need::peer_state_change:
	case Need::own_state_change: return {90, "for each change of state that is reported"};
	case Need::late_write:
	case Need::late_pages:
	case Need::late_pages_begin:
	case Need::late_write_detail: return {5, "for each send on any TCP socket"};
	case Need::eof_splice:
	case Need::eof_read: return {5, "for each receive on any TCP socket"};
	case Need::keepalive_probe: return {5, "for each expiry of any kernel timer"};
	case Need::retransmit: return {90, "for each retransmitted segment"};
	case Need::destroy: return {5, "for each TCP socket at its end"};
	case Need::inventory: return {350, "for each existing socket, once at start"};
	case Need::waiting_scan: return {50, "for each existing socket, at every scan"};
	case Need::owner_scan: return {170, "for each open file of the host, at every scan"};
	}
	return {};
}

const char* yes(bool value) {
	return value ? "yes" : "no";
}

std::string hook_text(const HookReport& hook) {
	const std::string_view result = hook.chosen        ? "in use"
	                                : hook.available   ? "spare"
	                                : hook.log.empty() ? "absent"
	                                                   : "refused";
	std::string text = fmt::format("  {:<8}{:<32} {}", result, hook.hook, to_string(hook.need));
	if (hook.chosen) {
		const Cost cost = cost_of(hook);
		text += fmt::format("; about {} ns {}", cost.nanoseconds, cost.occasion);
	}
	if (!hook.available) {
		text += fmt::format("{}: {}", hook.required ? " (required)" : "", hook.detail);
	}
	return text;
}

std::string listed(std::string_view title, const std::vector<std::string>& lines) {
	std::string text;
	for (const std::string& line : lines) {
		text += fmt::format("  {}\n", escape_untrusted(line));
	}
	return text.empty() ? text : fmt::format("{}\n{}", title, text);
}

json::Object hook_object(const HookReport& hook) {
	json::Object object;
	object["need"] = to_string(hook.need);
	object["hook"] = hook.hook;
	object["required"] = hook.required;
	object["available"] = hook.available;
	object["chosen"] = hook.chosen;
	if (!hook.available) {
		object["detail"] = hook.detail;
		object["consequence"] = hook.consequence;
		if (!hook.log.empty()) {
			object["log"] = hook.log;
		}
	} else {
		object["about_ns"] = cost_of(hook).nanoseconds;
		object["occasion"] = cost_of(hook).occasion;
	}
	return object;
}

} // namespace

bool watch_would_work(const KernelReport& kernel) {
	const bool served =
		std::all_of(kernel.hooks.begin(), kernel.hooks.end(),
	                [](const HookReport& hook) { return !hook.required || hook.available; });
	return kernel.problems.empty() && served && !kernel.hook_class.empty();
}

std::string doctor_text(const KernelReport& kernel) {
	std::string text;
	text += fmt::format("kernel        {} {}\n", kernel.release, kernel.machine);
	text += fmt::format("BTF           {}\n", yes(kernel.btf));
	text += fmt::format("BPF JIT       {}\n", yes(kernel.jit));
	text += fmt::format("lockdown      {}\n",
	                    kernel.lockdown.empty() ? "cannot be read" : kernel.lockdown);
	text += fmt::format("capabilities  CAP_BPF {}, CAP_PERFMON {}, CAP_SYS_ADMIN {}\n",
	                    yes(kernel.cap_bpf), yes(kernel.cap_perfmon), yes(kernel.cap_sys_admin));
	text += fmt::format("class         {}\n",
	                    kernel.hook_class.empty() ? "nothing can be attached" : kernel.hook_class);
	text += kernel.hooks.empty() ? "" : "hooks\n";
	for (const HookReport& hook : kernel.hooks) {
		text += hook_text(hook) + "\n";
	}
	text += listed("not known here", hook_gaps(kernel.hooks));
	text += listed("problems", kernel.problems);
	text += watch_would_work(kernel) ? "stalesock watch works here"
	                                 : "stalesock watch does not work here";
	return text;
}

std::string doctor_json(const KernelReport& kernel) {
	json::Object object;
	object["version"] = version;
	object["works"] = watch_would_work(kernel);
	object["release"] = kernel.release;
	object["machine"] = kernel.machine;
	object["btf"] = kernel.btf;
	object["jit"] = kernel.jit;
	if (!kernel.lockdown.empty()) {
		object["lockdown"] = kernel.lockdown;
	}
	object["capabilities"] = {{"cap_bpf", kernel.cap_bpf},
	                          {"cap_perfmon", kernel.cap_perfmon},
	                          {"cap_sys_admin", kernel.cap_sys_admin}};
	if (!kernel.hook_class.empty()) {
		object["hook_class"] = kernel.hook_class;
	}
	object["hooks"] = json::Object::array();
	for (const HookReport& hook : kernel.hooks) {
		object["hooks"].push_back(hook_object(hook));
	}
	object["gaps"] = hook_gaps(kernel.hooks);
	object["problems"] = kernel.problems;
	return json::line(object);
}

int run_doctor(const DoctorConfig& config) {
	const KernelReport kernel = examine_kernel(config.hooks);
	const int printed = print(config.json ? doctor_json(kernel) : doctor_text(kernel));
	if (printed != exit_done) {
		return printed;
	}
	return watch_would_work(kernel) ? exit_done : exit_refused;
}

} // namespace stalesock
