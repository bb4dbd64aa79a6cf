// SPDX-License-Identifier: Apache-2.0
#include "probe/kernel.hpp"

#include "probe/hooks.hpp"
#include "probe/probe.hpp"
#include "probe/requirements.hpp"

#include <array>
#include <bpf/libbpf.h>
#include <fstream>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

constexpr const char* btf_path = "/sys/kernel/btf/vmlinux";

bool has_capability(const std::array<__user_cap_data_struct, 2>& sets, unsigned capability) {
	return (sets.at(CAP_TO_INDEX(capability)).effective & CAP_TO_MASK(capability)) != 0;
}

/// "[none] integrity confidentiality": the one in brackets is in force.
std::string lockdown_mode() {
	std::ifstream file("/sys/kernel/security/lockdown");
	std::string text;
	std::getline(file, text);
	const auto begin = text.find('[');
	const auto end = text.find(']');
	if (begin == std::string::npos || end == std::string::npos) {
		return {};
	}
	return text.substr(begin + 1, end - begin - 1);
}

bool jit_enabled() {
	std::ifstream file("/proc/sys/net/core/bpf_jit_enable");
	int value = 0;
	file >> value;
	return value != 0;
}

} // namespace

KernelName kernel_name() {
	utsname name{};
	if (uname(&name) != 0) {
		return {};
	}
	return {name.release, name.machine};
}

Capabilities effective_capabilities() {
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	std::array<__user_cap_data_struct, 2> sets{};
	if (syscall(SYS_capget, &header, sets.data()) != 0) {
		return {};
	}
	const bool admin = has_capability(sets, CAP_SYS_ADMIN);
	return {.bpf = admin || has_capability(sets, CAP_BPF),
	        .perfmon = admin || has_capability(sets, CAP_PERFMON),
	        .sys_admin = admin,
	        .ptrace = has_capability(sets, CAP_SYS_PTRACE)};
}

std::vector<std::string> find_problems() {
	std::vector<std::string> problems;
	const Capabilities capabilities = effective_capabilities();
	const std::string remedy = ": run as root, or give the program CAP_BPF and CAP_PERFMON";
	if (!capabilities.bpf && !capabilities.perfmon) {
		problems.push_back("CAP_BPF and CAP_PERFMON are missing" + remedy);
	} else if (!capabilities.bpf) {
		problems.push_back("CAP_BPF is missing" + remedy);
	} else if (!capabilities.perfmon) {
		problems.push_back("CAP_PERFMON is missing" + remedy);
	}
	if (access(btf_path, R_OK) != 0) {
		problems.push_back(std::string(btf_path) +
		                   " cannot be read: stalesock needs a kernel built "
		                   "with CONFIG_DEBUG_INFO_BTF, and /sys mounted");
	}
	if (lockdown_mode() == "confidentiality") {
		problems.emplace_back(
			"kernel lockdown is in confidentiality mode, which forbids BPF to read "
			"kernel memory: boot with lockdown=integrity or none");
	}
	return problems;
}

namespace {

/// Of a kernel that is too old each hook would only say again that it is refused.
void explain_failure(KernelReport& report) {
	std::string too_old = find_too_old();
	if (!too_old.empty()) {
		report.problems.push_back(std::move(too_old));
		report.hooks.clear();
		report.hook_class.clear();
	} else if (report.hook_class.empty()) {
		report.problems.emplace_back("a required hook is refused: see the hooks");
	}
}

} // namespace

KernelReport examine_kernel(HookChoice choice) {
	KernelReport report;
	KernelName name = kernel_name();
	report.release = std::move(name.release);
	report.machine = std::move(name.machine);
	const Capabilities capabilities = effective_capabilities();
	report.btf = access(btf_path, R_OK) == 0;
	report.lockdown = lockdown_mode();
	report.cap_bpf = capabilities.bpf;
	report.cap_perfmon = capabilities.perfmon;
	report.cap_sys_admin = capabilities.sys_admin;
	report.jit = jit_enabled();
	report.problems = find_problems();
	report.hooks = survey_by_trying(choice);
	report.hook_class = hook_class_of(report.hooks);
	if (report.problems.empty() && (report.hook_class.empty() || !has_programs_on_demand())) {
		explain_failure(report);
	}
	std::string missing = name_missing_choice(choice, report.hooks);
	if (!missing.empty()) {
		report.problems.push_back(std::move(missing));
	}
	return report;
}

} // namespace stalesock
