// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include "app/values.hpp"
#include "app/version.hpp"
#include "model/escape.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sstream>
#include <vector>

namespace stalesock {

namespace {

constexpr const char* purpose =
	"Finds writes to TCP connections that the peer has already closed, and says why.";
constexpr const char* exit_codes = "Exit codes: 0 done; 1 failed while running; 2 wrong usage; 3 "
								   "the kernel or the privileges do not allow it.";

constexpr const char* no_payload =
	"A recording holds who talked to whom, when, and counters: never a byte of what was said.";

/// An option whose text `store` checks and keeps; what it rejects is reported with the option's name.
template <typename Store>
CLI::Option* add_value(CLI::App& app, const std::string& name, const char* type, const char* help,
                       Store store) {
	const auto read = [name, store](const std::string& text) {
		try {
			store(text);
		} catch (const std::invalid_argument& problem) {
			throw CLI::ValidationError(name, problem.what());
		}
	};
	return app.add_option_function<std::string>(name, read, help)->type_name(type);
}

void add_no_colour(CLI::App& app, bool& colour) {
	app.add_flag_callback(
		"--no-color", [&colour] { colour = false; }, "No colour on a terminal (also: NO_COLOR)");
}

/// Of `watch` and of `replay`.
template <typename Config> void add_output_options(CLI::App& app, Config& config) {
	app.add_flag("--json", config.json, "One JSON object a line");
	app.add_flag("--events", config.events, "Print the kernel's events as well");
	add_no_colour(app, config.colour);
	add_value(
		app, "--max-connections", "N", "Connections tracked at once (262144)",
		[&](const std::string& text) { config.max_connections = read_connection_limit(text); });
}

void add_filter_options(CLI::App& app, VerdictFilter& filter) {
	const auto add_kinds = [&filter](const std::vector<std::string>& names) {
		try {
			for (const std::string& name : names) {
				filter.kinds.push_back(read_verdict_kind(name));
			}
		} catch (const std::invalid_argument& problem) {
			throw CLI::ValidationError("--verdict", problem.what());
		}
	};
	app.add_option_function<std::vector<std::string>>("--verdict", add_kinds,
	                                                  "Only this verdict; may be repeated")
		->type_name("V")
		->delimiter(',')
		->allow_extra_args(false);
	add_value(app, "--min-severity", "S", "Only from this severity: info, notice, warning, error",
	          [&](const std::string& text) { filter.min_severity = read_severity(text); });
	add_value(app, "--remote", "A:P", "Only connections to this remote endpoint",
	          [&](const std::string& text) { filter.remote = read_remote(text); });
	add_value(app, "--port", "P", "Only connections with this local or remote port",
	          [&](const std::string& text) { filter.port = read_port(text); });
	add_value(app, "--pid", "N", "Only connections of this process",
	          [&](const std::string& text) { filter.pid = read_pid(text); });
}

/// Of `watch` and of `record`.
template <typename Config> void add_probe_options(CLI::App& app, Config& config) {
	add_value(app, "--duration", "S", "Stop after this many seconds",
	          [&](const std::string& text) { config.duration = read_duration(text); });
	add_value(
		app, "--netns", "N", "Only this network namespace: self, a path, or an inode number",
		[&](const std::string& text) { config.probe.filter.netns = read_network_namespace(text); });
	add_value(app, "--hooks", "CLASS",
	          "How sends and receives are seen: tracepoint, trampoline or none (automatic)",
	          [&](const std::string& text) { config.probe.hooks = read_hook_choice(text); });
	add_value(app, "--scan-interval", "S",
	          "Seconds between looking for owners, and for late writes no hook sees (10)",
	          [&](const std::string& text) { config.scan_interval = read_scan_interval(text); });
	add_value(app, "--ring-size", "BYTES", "Ring buffer: a power of two from 64K to 1G (4M)",
	          [&](const std::string& text) { config.probe.ring_size = read_ring_size(text); });
}

void add_watch(CLI::App& app, WatchConfig& config) {
	CLI::App& watch = *app.add_subcommand("watch", "Print verdicts live, until Ctrl-C");
	add_output_options(watch, config);
	add_filter_options(watch, config.filter);
	add_value(watch, "--unit", "U", "Only connections of this systemd unit",
	          [&](const std::string& text) { config.filter.unit = read_unit(text); });
	add_probe_options(watch, config);
}

CLI::App* add_record(CLI::App& app, RecordConfig& config) {
	CLI::App& record = *app.add_subcommand("record", "Write the kernel's events to a file");
	record.footer(fmt::format("{}\n{}", no_payload, exit_codes));
	add_value(record, "-o,--output", "FILE", "Where to; readable by you only",
	          [&](const std::string& text) { config.file = text; })
		->required();
	record.add_flag("--force", config.force, "Overwrite an existing file");
	record.add_flag("--anonymize", config.anonymize,
	                "Replace addresses, ports above 1024, commands and cgroups by stand-ins");
	add_value(record, "--port", "P", "Only connections with this local or remote port",
	          [&](const std::string& text) { config.probe.filter.port = read_port(text); });
	add_value(record, "--pid", "N", "Only connections of this process",
	          [&](const std::string& text) { config.probe.filter.pid = read_pid(text); });
	add_probe_options(record, config);
	return &record;
}

CLI::App* add_replay(CLI::App& app, ReplayConfig& config) {
	CLI::App& replay =
		*app.add_subcommand("replay", "Print the verdicts of a recording; needs no privileges");
	add_value(replay, "FILE", "", "A recording", [&](const std::string& text) {
		config.file = text;
	})->required();
	add_output_options(replay, config);
	add_filter_options(replay, config.filter);
	return &replay;
}

// What can be decided in the kernel is: fewer events leave it.
void set_kernel_filter(WatchConfig& config) {
	ProbeFilter& kernel = config.probe.filter;
	kernel.pid = config.filter.pid.value_or(0);
	kernel.port =
		config.filter.remote ? config.filter.remote->port : config.filter.port.value_or(0);
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
	const std::string text = error.what();
	if (text.ends_with(" missing")) { // "--remote: 1 required A:P missing"
		return fmt::format("{} needs a value", text.substr(0, text.find(':')));
	}
	if (text != CLI::RequiredError::Subcommand(1).what()) {
		return escape_untrusted(text);
	}
	const std::vector<std::string> unknown = app.remaining();
	if (unknown.empty()) {
		return "a command is needed: watch, record, replay, demo or doctor (see stalesock --help)";
	}
	return fmt::format("\"{}\" is not a command or option; the commands are watch, record, replay, "
	                   "demo and doctor",
	                   escape_untrusted(unknown.front()));
}

std::string text_for(const CLI::App& app, const CLI::ParseError& request) {
	std::ostringstream out;
	app.exit(request, out, out);
	std::string text = out.str();
	while (text.ends_with('\n')) {
		text.pop_back();
	}
	return text;
}

} // namespace

Command parse_command_line(int argc, const char* const* argv) {
	WatchConfig watch;
	RecordConfig record;
	ReplayConfig replay;
	DemoConfig demo;
	DoctorConfig doctor;
	CLI::App app{purpose, "stalesock"};
	app.footer(exit_codes);
	app.require_subcommand(1);
	app.set_version_flag("--version", fmt::format("stalesock {}", version));
	add_watch(app, watch);
	const CLI::App* record_command = add_record(app, record);
	const CLI::App* replay_command = add_replay(app, replay);
	CLI::App* demo_command =
		app.add_subcommand("demo", "Make a real stale reuse on loopback and explain it");
	add_no_colour(*demo_command, demo.colour);
	CLI::App* doctor_command =
		app.add_subcommand("doctor", "What this kernel and these privileges allow");
	doctor_command->add_flag("--json", doctor.json, "One JSON object");
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError& error) {
		if (error.get_exit_code() == 0) {
			return ShowText{text_for(app, error)};
		}
		throw UsageError(explain(app, error));
	}
	if (record_command->parsed()) {
		return record;
	}
	if (replay_command->parsed()) {
		return replay;
	}
	if (demo_command->parsed()) {
		return demo;
	}
	if (doctor_command->parsed()) {
		return doctor;
	}
	set_kernel_filter(watch);
	return watch;
}

} // namespace stalesock
