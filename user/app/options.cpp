// SPDX-License-Identifier: Apache-2.0
#include "app/options.hpp"

#include "app/option_parts.hpp"
#include "app/options_table.hpp"
#include "app/state_file.hpp"
#include "app/values.hpp"
#include "app/version.hpp"
#include "model/escape.hpp"

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

/// Of `watch` and of `replay`.
template <typename Config> void add_output_options(CLI::App& app, Config& config) {
	app.add_flag("--json", config.json, "One JSON object a line");
	app.add_flag("--events", config.events, "Print the kernel's events as well");
	CLI::Option* explain =
		app.add_flag("--explain", config.explain, "Draw the story of each verdict's connection");
	explain->excludes(app.get_option("--json"));
	app.add_flag("--ascii", config.ascii, "Draw with ASCII characters only")->needs(explain);
	add_no_colour(app, config.colour);
	add_value(app, "--collapse", "N",
	          "Show the first N of the same verdict in a minute, count the rest (5; 0: show all)",
	          [&](const std::string& text) { config.collapse = read_collapse(text); });
	add_value(
		app, "--max-connections", "N", "Connections tracked at once (262144)",
		[&](const std::string& text) { config.max_connections = read_connection_limit(text); });
	add_value(
		app, "--close-wait", "S",
		"Report connections that were not closed within this many seconds of the FIN (60)",
		[&](const std::string& text) { config.waiting.close_wait = read_waiting_limit(text); });
	add_value(
		app, "--dirty-idle", "S",
		"Report silent client connections with bytes unread for this many seconds (10)",
		[&](const std::string& text) { config.waiting.dirty_idle = read_waiting_limit(text); });
	add_value(app, "--max-peers", "N", "Remote endpoints learned at once (16384)",
	          [&](const std::string& text) { config.max_peers = read_peer_limit(text); });
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

void add_hooks(CLI::App& app, HookChoice& choice) {
	add_value(app, "--hooks", "CLASS",
	          "How sends and receives are seen: tracepoint, trampoline or none (automatic)",
	          [&](const std::string& text) { choice = read_hook_choice(text); });
}

/// Of `watch` and of `record`.
template <typename Config> void add_probe_options(CLI::App& app, Config& config) {
	add_value(app, "--duration", "S", "Stop after this many seconds",
	          [&](const std::string& text) { config.duration = read_duration(text); });
	add_value(
		app, "--netns", "N", "Only this network namespace: self, a path, or an inode number",
		[&](const std::string& text) { config.probe.filter.netns = read_network_namespace(text); });
	add_hooks(app, config.probe.hooks);
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
	add_peers_file(watch, config.peers_file);
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
	CLI::App& replay = *app.add_subcommand(
		"replay", "Print the verdicts of a recording or a packet capture; needs no privileges");
	add_value(replay, "FILE", "",
	          "A recording, or a packet capture (pcap, pcapng); - is standard input",
	          [&](const std::string& text) { config.file = text; })
		->required();
	add_output_options(replay, config);
	add_filter_options(replay, config.filter);
	return &replay;
}

CLI::App* add_explain(CLI::App& app, ExplainConfig& config) {
	CLI::App& explain =
		*app.add_subcommand("explain", "Draw the story of one verdict's connection");
	explain.footer(
		fmt::format("Looks in the journal, unless another source is named.\n{}", exit_codes));
	add_value(explain, "ID", "", "The verdict's id, or its connection's (the id up to the dash)",
	          [&](const std::string& text) { config.id = read_verdict_id(text); })
		->required();
	CLI::Option* recording =
		add_value(explain, "--recording", "FILE", "Look in a recording",
	              [&](const std::string& text) { config.recording = read_path(text); });
	add_value(explain, "--json", "FILE", "Look in JSON lines of verdicts (-: standard input)",
	          [&](const std::string& text) { config.json = read_path(text); })
		->excludes(recording);
	add_value(explain, "--time", "T",
	          "Only the verdict of this time (UTC; its beginning is enough)",
	          [&](const std::string& text) { config.time = text; });
	CLI::Option* svg = add_value(explain, "--svg", "FILE", "Write an SVG file instead",
	                             [&](const std::string& text) { config.svg = read_path(text); });
	explain.add_flag("--force", config.force, "Overwrite an existing SVG file")->needs(svg);
	explain.add_flag("--ascii", config.diagram.ascii, "Draw with ASCII characters only");
	add_value(explain, "--width", "N", "Columns, 40 to 80 (as wide as the terminal, at most 80)",
	          [&](const std::string& text) { config.diagram.width = read_width(text); });
	add_no_colour(explain, config.diagram.colour);
	return &explain;
}

CLI::App* add_peers(CLI::App& app, PeersConfig& config) {
	CLI::App& peers = *app.add_subcommand("peers", "What was learned of servers, and what to set");
	peers.footer(fmt::format("Shows what a running daemon keeps in {}, unless another source is "
	                         "named.\n{}",
	                         default_state_file, exit_codes));
	const auto add_states = [&config](const std::vector<std::string>& paths) {
		config.states = paths;
	};
	CLI::Option* state = peers
	                         .add_option_function<std::vector<std::string>>(
								 "--state", add_states, "A saved state; several are merged")
	                         ->type_name("FILE")
	                         ->allow_extra_args(false);
	add_value(peers, "--recording", "FILE", "Learn from a recording", [&](const std::string& text) {
		config.recording = read_path(text);
	})->excludes(state);
	add_value(peers, "--remote", "A[:P]", "Only this endpoint, or all with this address",
	          [&](const std::string& text) {
				  const Endpoint endpoint = read_remote_or_address(text);
				  config.address = endpoint.address;
				  if (endpoint.port != 0) {
					  config.port = endpoint.port;
				  }
			  });
	add_value(peers, "--sort", "ORDER", "endpoint, timeout, reuse, near or seen (endpoint)",
	          [&](const std::string& text) { config.order = read_peer_order(text); });
	peers.add_flag("--json", config.json, "One JSON object a line");
	peers.add_flag("--open", config.open,
	               "Also how many connections each process of a listener holds now (as list --by "
	               "listener)");
	return &peers;
}

CLI::App* add_daemon(CLI::App& app, DaemonCommand& command) {
	CLI::App& daemon = *app.add_subcommand("daemon", "What the systemd unit runs");
	add_value(daemon, "--config", "FILE",
	          "Configuration (/etc/stalesock/stalesock.toml); then the files of FILE.d/*.toml",
	          [&](const std::string& text) { command.config = text; });
	daemon.add_flag("--check", command.check, "Only check the configuration");
	return &daemon;
}

// What can be decided in the kernel is: fewer events leave it.
void set_kernel_filter(WatchConfig& config) {
	ProbeFilter& kernel = config.probe.filter;
	kernel.pid = config.filter.pid.value_or(0);
	kernel.port =
		config.filter.remote ? config.filter.remote->port : config.filter.port.value_or(0);
}

/// "watch, record and doctor"
std::string command_names(const CLI::App& app, std::string_view conjunction) {
	std::vector<std::string> names;
	for (const CLI::App* command : app.get_subcommands({})) {
		names.push_back(command->get_name());
	}
	const std::string last = names.back();
	names.pop_back();
	return fmt::format("{} {} {}", fmt::join(names, ", "), conjunction, last);
}

std::string complaint_about(const CLI::App& app, const CLI::ParseError& error) {
	const std::string text = error.what();
	if (text.ends_with(" missing")) { // "--remote: 1 required A:P missing"
		return fmt::format("{} needs a value", text.substr(0, text.find(':')));
	}
	if (text != CLI::RequiredError::Subcommand(1).what()) {
		return escape_untrusted(text);
	}
	const std::vector<std::string> unknown = app.remaining();
	if (unknown.empty()) {
		return fmt::format("a command is needed: {} (see stalesock --help)",
		                   command_names(app, "or"));
	}
	return fmt::format("\"{}\" is not a command or option; the commands are {}",
	                   escape_untrusted(unknown.front()), command_names(app, "and"));
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

/// On a screen there is neither JSON nor an end.
void check(const TopConfig& config) {
	if (!config.batch && (config.json || config.iterations)) {
		throw UsageError("top: --json and -n need -b");
	}
}

} // namespace

Command parse_command_line(int argc, const char* const* argv) {
	WatchConfig watch;
	ListConfig list;
	TopConfig top;
	RecordConfig record;
	ReplayConfig replay;
	ExplainConfig explain;
	PeersConfig peers;
	DaemonCommand daemon;
	DemoConfig demo;
	DoctorConfig doctor;
	CLI::App app{purpose, "stalesock"};
	app.footer(exit_codes);
	app.require_subcommand(1);
	app.set_version_flag("--version", fmt::format("stalesock {}", version));
	add_watch(app, watch);
	const CLI::App* list_command = add_list(app, list);
	const CLI::App* top_command = add_top(app, top);
	const CLI::App* record_command = add_record(app, record);
	const CLI::App* replay_command = add_replay(app, replay);
	const CLI::App* explain_command = add_explain(app, explain);
	const CLI::App* peers_command = add_peers(app, peers);
	const CLI::App* daemon_command = add_daemon(app, daemon);
	CLI::App* demo_command =
		app.add_subcommand("demo", "Make a real stale reuse on loopback and explain it");
	add_no_colour(*demo_command, demo.colour);
	CLI::App* doctor_command =
		app.add_subcommand("doctor", "What this kernel and these privileges allow");
	doctor_command->add_flag("--json", doctor.json, "One JSON object");
	add_hooks(*doctor_command, doctor.hooks);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError& error) {
		if (error.get_exit_code() == 0) {
			return ShowText{text_for(app, error)};
		}
		throw UsageError(complaint_about(app, error));
	}
	if (list_command->parsed()) {
		return list;
	}
	if (top_command->parsed()) {
		check(top);
		return top;
	}
	if (record_command->parsed()) {
		return record;
	}
	if (replay_command->parsed()) {
		return replay;
	}
	if (explain_command->parsed()) {
		return explain;
	}
	if (peers_command->parsed()) {
		return peers;
	}
	if (daemon_command->parsed()) {
		return daemon;
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
