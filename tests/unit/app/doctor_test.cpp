// SPDX-License-Identifier: Apache-2.0
#include "app/doctor.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

namespace stalesock::test {

namespace {

using matchers::Contains;
using matchers::EndsWith;

HookReport in_use(Need need, const char* name) {
	HookReport report;
	report.need = need;
	report.hook = name;
	report.available = report.chosen = true;
	return report;
}

HookReport spare(Need need, const char* name) {
	HookReport report = in_use(need, name);
	report.chosen = false;
	return report;
}

HookReport refused(Need need, const char* name, const char* detail) {
	HookReport report = spare(need, name);
	report.available = false;
	report.detail = detail;
	report.consequence = std::string("no ") + name;
	report.log = "libbpf: failed to load";
	return report;
}

KernelReport good_kernel() {
	KernelReport kernel;
	kernel.release = "6.18.5";
	kernel.machine = "x86_64";
	kernel.btf = kernel.jit = true;
	kernel.lockdown = "none";
	kernel.cap_bpf = kernel.cap_perfmon = kernel.cap_sys_admin = true;
	kernel.hook_class = "tracepoint";
	kernel.hooks = {in_use(Need::peer_state_change, "first"), in_use(Need::late_write, "better"),
	                spare(Need::late_write, "second"),
	                refused(Need::retransmit, "third", "ENOENT")};
	kernel.hooks[0].required = true;
	return kernel;
}

KernelReport bad_kernel() {
	KernelReport kernel = good_kernel();
	kernel.hooks[0] = refused(Need::peer_state_change, "first", "EPERM");
	kernel.hooks[0].required = true;
	kernel.hook_class.clear();
	kernel.lockdown.clear();
	kernel.problems = {"CAP_BPF is missing"};
	return kernel;
}

} // namespace

TEST_CASE("a watch works when every required hook does", "[app]") {
	CHECK(watch_would_work(good_kernel()));
	CHECK_FALSE(watch_would_work(bad_kernel()));
	KernelReport kernel = good_kernel();
	SECTION("a required hook is refused") {
		kernel.hooks[0].available = false;
	}
	SECTION("there is another problem") {
		kernel.problems = {"CAP_BPF is missing"};
	}
	SECTION("nothing can be attached") {
		kernel.hook_class.clear();
	}
	CHECK_FALSE(watch_would_work(kernel));
}

TEST_CASE("the doctor's text", "[app]") {
	const std::string good = doctor_text(good_kernel());
	CHECK_THAT(good, Contains("kernel        6.18.5 x86_64\n") &&
	                     Contains("class         tracepoint\n") && Contains("  in use  first ") &&
	                     Contains("  spare   second ") && Contains("  refused third ") &&
	                     Contains(": ENOENT\n") &&
	                     Contains("not known here\n  no third (third: ENOENT)\n") &&
	                     EndsWith("\nstalesock watch works here"));
	const std::string bad = doctor_text(bad_kernel());
	CHECK_THAT(bad, Contains("lockdown      cannot be read\n") &&
	                    Contains("class         nothing can be attached\n") &&
	                    Contains(" (required): EPERM\n") &&
	                    Contains("problems\n  CAP_BPF is missing\n") &&
	                    EndsWith("\nstalesock watch does not work here"));
}

TEST_CASE("a kernel that is too old is told in one line, not hook by hook", "[app]") {
	KernelReport kernel = bad_kernel();
	kernel.hooks.clear();
	kernel.problems = {"this kernel is too old"};
	CHECK_FALSE(watch_would_work(kernel));
	CHECK_THAT(
		doctor_text(kernel),
		Contains("class         nothing can be attached\nproblems\n  this kernel is too old\n"));
	const auto object = nlohmann::json::parse(doctor_json(kernel));
	CHECK(object["hooks"].empty());
	CHECK(object["gaps"].empty());
	CHECK(object["problems"] == nlohmann::json{"this kernel is too old"});
}

TEST_CASE("a hook that a kernel does not have is not called refused", "[app]") {
	KernelReport kernel = good_kernel();
	kernel.hooks.back().log.clear();
	CHECK_THAT(doctor_text(kernel), Contains("  absent  third "));
}

TEST_CASE("the scan that serves late writes costs what a scan costs", "[app]") {
	KernelReport kernel = good_kernel();
	kernel.hooks[0].need = Need::late_write;
	kernel.hooks[0].hook = "iter/tcp";
	CHECK_THAT(doctor_text(kernel),
	           Contains("iter/tcp") && Contains("for each existing socket, at every scan"));
}

TEST_CASE("the doctor's JSON", "[app]") {
	const auto good = nlohmann::json::parse(doctor_json(good_kernel()));
	CHECK(good["works"] == true);
	CHECK(good["hook_class"] == "tracepoint");
	CHECK(good["capabilities"]["cap_bpf"] == true);
	CHECK(good["hooks"].size() == 4);
	CHECK(good["hooks"][0]["chosen"] == true);
	CHECK_FALSE(good["hooks"][0].contains("detail"));
	CHECK(good["hooks"][3]["consequence"] == "no third");
	CHECK_FALSE(good["hooks"][3].contains("about_ns"));
	CHECK(good["hooks"][2]["chosen"] == false);
	CHECK(good["gaps"] == nlohmann::json{"no third (third: ENOENT)"});
	const auto bad = nlohmann::json::parse(doctor_json(bad_kernel()));
	CHECK(bad["works"] == false);
	CHECK_FALSE(bad.contains("hook_class"));
	CHECK_FALSE(bad.contains("lockdown"));
	CHECK(bad["problems"] == nlohmann::json{"CAP_BPF is missing"});
}

} // namespace stalesock::test
