// SPDX-License-Identifier: Apache-2.0
// What is loaded into the kernel: one program for each need that the class serves.
#include "support/catch.hpp"
#include "support/descriptor.hpp"
#include "support/watch.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

using namespace runtime;

namespace {

using Hooks = std::multiset<std::string>;
using Fields = std::map<std::string, std::string>;

/// "name: value" lines.
Fields fields_of(const std::filesystem::path& path) {
	Fields fields;
	std::ifstream file(path);
	for (std::string line; std::getline(file, line);) {
		const std::size_t colon = line.find(':');
		const std::size_t value = line.find_first_not_of(" \t", colon + 1);
		if (colon != std::string::npos && value != std::string::npos) {
			fields[line.substr(0, colon)] = line.substr(value);
		}
	}
	return fields;
}

/// What a program is made to be attached to, by its name in BTF.
std::string target_of(const btf* types, const std::string& program) {
	const Descriptor descriptor(
		checked(bpf_prog_get_fd_by_id(static_cast<unsigned>(std::stoul(program))), "the program"));
	bpf_prog_info info{};
	unsigned size = sizeof info;
	checked(bpf_obj_get_info_by_fd(descriptor, &info, &size), "the program's facts");
	const btf_type* type = btf__type_by_id(types, info.attach_btf_id);
	return type != nullptr ? btf__name_by_offset(types, type->name_off) : "unknown";
}

/// As `doctor` names it. Iterators have no link while they do not run.
std::string hook_of(const std::string& target, const Fields& link) {
	const std::string tracepoint = "btf_trace_";
	const std::string iterator = "bpf_iter_";
	constexpr const char* fentry = "24"; // BPF_TRACE_FENTRY
	if (target.starts_with(iterator)) {
		return "iter/" + target.substr(iterator.size());
	}
	if (link.empty()) {
		return target + ", attached to nothing";
	}
	if (target.starts_with(tracepoint)) {
		return "tp_btf/" + target.substr(tracepoint.size());
	}
	return (link.at("attach_type") == fentry ? "fentry/" : "fexit/") + target;
}

/// All that a process has in the kernel to be attached, as its descriptors tell.
Hooks loaded_by(pid_t pid) {
	constexpr const char* tracing = "26"; // BPF_PROG_TYPE_TRACING; what measures the tick is none
	std::set<std::string> programs;
	std::map<std::string, Fields> links;
	for (const auto& entry :
	     std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fdinfo")) {
		const Fields fields = fields_of(entry.path());
		if (fields.count("link_type") != 0) {
			CHECK(links.emplace(fields.at("prog_id"), fields).second);
		} else if (fields.count("prog_type") != 0 && fields.at("prog_type") == tracing) {
			programs.insert(fields.at("prog_id"));
		}
	}
	const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
	REQUIRE(types != nullptr);
	Hooks hooks;
	for (const std::string& program : programs) {
		hooks.insert(hook_of(target_of(types.get(), program), links[program]));
	}
	return hooks;
}

Result stalesock(Arguments arguments, const Arguments& options) {
	arguments.insert(arguments.begin(), stalesock_path());
	arguments.insert(arguments.end(), options.begin(), options.end());
	return run(arguments);
}

void check_one_for_each_need(const Arguments& options) {
	const Json report = Json::parse(stalesock({"doctor", "--json"}, options).output);
	if (report.at("works") == false) { // a class that this kernel does not have
		CHECK(stalesock({"watch", "--netns", "self"}, options).code == 3);
		return;
	}
	Hooks chosen;
	std::set<std::string> needs;
	for (const Json& hook : report.at("hooks")) {
		if (hook.at("chosen") == true) {
			INFO(hook.dump());
			CHECK(needs.insert(hook.at("need")).second);
			chosen.insert(hook.at("hook"));
		}
	}
	Watch one(options);
	CHECK(one.hook_class() == report.at("hook_class").get<std::string>());
	CHECK(loaded_by(one.process().pid()) == chosen);
	CHECK(one.stop() == 0);
}

} // namespace

TEST_CASE("exactly one program for each need is loaded", "[hooks]") {
	if (std::getenv("STALESOCK_HOOKS") != nullptr) {
		check_one_for_each_need({});
		return;
	}
	for (const Arguments& options :
	     {Arguments{}, Arguments{"--hooks", "tracepoint"}, Arguments{"--hooks", "trampoline"},
	      Arguments{"--hooks", "none"}}) {
		INFO((options.empty() ? "automatic" : options.back()));
		check_one_for_each_need(options);
	}
}
