// SPDX-License-Identifier: Apache-2.0
// stalesock-bench: the numbers of the project, measured here and now. A program, not a gate.
#include "sections.hpp"
#include "tracers.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <functional>
#include <string>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

namespace {

struct Section {
	const char* name;
	const char* title;
	std::function<bench::Table(const bench::Size&)> measure;
};

const std::vector<Section>& sections() {
	static const std::vector<Section> all{
		// First, while this process is small: the children inherit its memory.
		{"memory", "Resident memory", bench::measure_memory},
		{"idle",
	     "Programs on an established connection with nothing to report (bpf_stats, empty program "
	     "subtracted)",
	     bench::measure_idle_programs},
		{"programs", "Programs in a connection's life (bpf_stats, empty program subtracted)",
	     bench::measure_programs_of_a_connection},
		{"connections",
	     "One pinned process, connect/64 B/64 B/close on loopback, CPU time per connection",
	     bench::measure_connections},
		{"user", "User space: decode + track + judge from memory, one core",
	     bench::measure_user_side},
	};
	return all;
}

bool wanted(const std::vector<std::string>& only, const std::string& name) {
	return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
}

int run(const bench::Size& size, const std::vector<std::string>& only) {
	utsname system{};
	uname(&system);
	fmt::print("stalesock-bench on Linux {} {}\n", system.release, system.machine);
	int status = 0;
	for (const Section& section : sections()) {
		if (!wanted(only, section.name)) {
			continue;
		}
		try {
			bench::print(section.title, section.measure(size));
		} catch (const std::exception& error) {
			fmt::print("\n{}\n  could not be measured: {}\n", section.title, error.what());
			status = 1;
		}
	}
	return status;
}

int run_program(int argc, char** argv) {
	bench::Size size;
	bool quick = false;
	bool no_bcc = false;
	bool tracer = false;
	std::vector<std::string> only;
	CLI::App app{"Measures what stalesock costs and prints it next to its targets. Needs root."};
	app.add_flag("--quick", quick, "a tenth of the work: for a look, not for a report");
	app.add_flag("--no-bcc", no_bcc, "leave bcc's tools out");
	app.add_option("--rounds", size.rounds, "rounds of connections");
	app.add_option("--connections", size.connections, "connections in a round");
	app.add_option("--only", only, "sections: idle, programs, connections, user, memory");
	app.add_option("--against", size.builds, "other builds of this program, compared side by side");
	app.add_flag("--tracer", tracer, "only trace, for another build (internal)")->group("");
	CLI11_PARSE(app, argc, argv);
	if (quick) {
		size.rounds = 4;
		size.connections = 10'000;
		size.messages = 30'000;
		size.events = 500'000;
	}
	if (tracer) {
		bench::run_tracer_for_another_build();
		return 0;
	}
	size.bcc = !no_bcc;
	if (geteuid() != 0) {
		fmt::print(stderr, "stalesock-bench: must be run as root\n");
		return 2;
	}
	return run(size, only);
}

} // namespace

int main(int argc, char** argv) {
	try {
		return run_program(argc, argv);
	} catch (const std::exception& error) {
		std::fprintf(stderr, "stalesock-bench: %s\n", error.what());
		return 1;
	}
}
