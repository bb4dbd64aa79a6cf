// SPDX-License-Identifier: Apache-2.0
#include "app/options_table.hpp"

#include "app/option_parts.hpp"
#include "app/values.hpp"

#include <fmt/format.h>

namespace stalesock {

namespace {

void add_row_filters(CLI::App& app, RowFilter& filter) {
	add_value(app, "--state", "STATE,...", "Only these TCP states, for example CLOSE_WAIT",
	          [&](const std::string& text) { filter.states |= read_states(text); });
	app.add_flag("--stale", filter.stale,
	             "Only where the peer has closed and the application has not");
	add_value(app, "--remote", "A:P", "Only this remote endpoint; A or :P alone will do",
	          [&](const std::string& text) { filter.remote = read_endpoint_pattern(text); });
	add_value(app, "--local", "A:P", "Only this local endpoint; A or :P alone will do",
	          [&](const std::string& text) { filter.local = read_endpoint_pattern(text); });
	add_value(app, "--port", "P", "Only this local or remote port",
	          [&](const std::string& text) { filter.port = read_port(text); });
	add_value(app, "--pid", "N", "Only sockets of this process",
	          [&](const std::string& text) { filter.pid = read_pid(text); });
	add_value(app, "--unit", "U", "Only sockets of this systemd unit",
	          [&](const std::string& text) { filter.unit = read_unit(text); });
	add_value(app, "--role", "R", "Only active (we opened it) or passive",
	          [&](const std::string& text) { filter.role = read_role(text); });
	add_value(app, "--idle-over", "S", "Only where nothing was sent for more seconds than this",
	          [&](const std::string& text) { filter.idle_over = read_duration(text); });
}

void add_table_options(CLI::App& app, TableConfig& config) {
	app.add_flag("--json", config.json, "One JSON object a line");
	add_row_filters(app, config.filter);
	add_value(app, "--columns", "C,...", "Which columns, in this order; all: every one",
	          [&](const std::string& text) { config.columns = read_columns(text); });
	add_value(app, "--sort", "C", "By this column, times and counts from the largest",
	          [&](const std::string& text) { config.sort = read_column(text); });
	app.add_flag("--reverse", config.reverse, "The other way round");
	add_value(app, "--by", "WHAT", "Count sockets by process, unit, remote or listener",
	          [&](const std::string& text) { config.by = read_group_by(text); });
	add_value(app, "--netns", "N", "Only this network namespace: self, a path, or an inode number",
	          [&](const std::string& text) { config.netns = read_network_namespace(text); });
	add_peers_file(app, config.peers_file);
	app.add_flag_callback(
		"--no-head", [&config] { config.head = false; }, "Text without its first two lines");
	app.add_flag_callback(
		"--no-bpf", [&config] { config.bpf = false; },
		"What NETLINK_SOCK_DIAG tells; needs no privileges");
	add_no_colour(app, config.colour);
}

/// "state     TCP state", a line for each.
std::string describe_columns() {
	std::string text = "Columns:\n";
	for (const Column& column : all_columns()) {
		text += fmt::format("  {:<11} {}\n", column.name, column.help);
	}
	return text + "Exit codes: 0 done; 1 failed while running; 2 wrong usage; 3 the kernel or the "
	              "privileges do not allow it.";
}

} // namespace

CLI::App* add_list(CLI::App& app, ListConfig& config) {
	CLI::App& list = *app.add_subcommand(
		"list", "Every TCP socket now: state, owner, who closed first, how long ago");
	add_table_options(list, config);
	list.footer(describe_columns());
	return &list;
}

CLI::App* add_top(CLI::App& app, TopConfig& config) {
	CLI::App& top =
		*app.add_subcommand("top", "The same again and again on a terminal, with verdicts");
	add_table_options(top, config);
	top.add_flag("-b,--batch", config.batch, "Lines instead of a screen");
	add_value(top, "-n,--iterations", "N", "With -b: stop after so many snapshots",
	          [&](const std::string& text) { config.iterations = read_connection_limit(text); });
	add_value(top, "-d,--delay", "S", "Seconds between snapshots (2)",
	          [&](const std::string& text) { config.interval = read_scan_interval(text); });
	add_value(top, "--hooks", "CLASS",
	          "How sends and receives are seen: tracepoint, trampoline or none (automatic)",
	          [&](const std::string& text) { config.hooks = read_hook_choice(text); });
	top.add_flag_callback(
		"--no-verdicts", [&config] { config.verdicts = false; }, "Attach no hooks: snapshots only");
	top.footer(describe_columns());
	return &top;
}

} // namespace stalesock
