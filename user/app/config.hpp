// SPDX-License-Identifier: Apache-2.0
// What was asked for, checked once, before anything privileged.
#pragma once

#include "app/daemon_config.hpp"
#include "app/diagram_style.hpp"
#include "app/filter.hpp"
#include "app/monitor.hpp"
#include "app/peer_order.hpp"
#include "model/columns.hpp"
#include "model/group.hpp"
#include "model/row_filter.hpp"
#include "probe/probe.hpp"
#include "verdict/engine.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stalesock {

struct WatchConfig : MonitorOptions {
	std::optional<std::chrono::microseconds> duration;
	std::optional<std::string>
		peers_file; ///< saved state to begin with; absent: the daemon's, if any
	bool json = false;
	bool explain = false; ///< a diagram with each verdict
	bool colour = true;   ///< as far as the terminal wants it
	bool ascii = false;   ///< of diagrams
};

/// Of `list` and `top`.
struct TableConfig {
	RowFilter filter;
	std::vector<const Column*> columns; ///< empty: the default
	const Column* sort = nullptr;       ///< null: `list` keeps the kernel's order
	std::optional<GroupBy> by;
	std::optional<std::string> peers_file; ///< saved state to read; absent: the daemon's, if any
	std::uint32_t netns = 0;               ///< inode number; 0: all
	bool reverse = false;
	bool json = false;
	bool head = true;
	bool bpf = true;
	bool colour = true;
};

struct ListConfig : TableConfig {};

struct TopConfig : TableConfig {
	std::chrono::microseconds interval = std::chrono::seconds(2);
	std::optional<std::uint64_t> iterations; ///< with batch: how many snapshots
	bool batch = false;
	bool verdicts = true; ///< attach the hooks as well
	HookChoice hooks = HookChoice::automatic;
};

struct RecordConfig {
	ProbeOptions probe;
	std::string file;
	std::optional<std::chrono::microseconds> duration;
	std::chrono::microseconds scan_interval = WatchConfig{}.scan_interval;
	bool anonymize = false;
	bool force = false; ///< overwrite an existing file
};

struct ReplayConfig {
	std::string file;
	std::size_t max_connections = EngineOptions{}.max_connections;
	std::size_t max_peers = EngineOptions{}.max_peers;
	VerdictFilter filter;
	std::uint32_t collapse = default_collapse;
	WaitingLimits waiting{};
	bool json = false;
	bool events = false;
	bool explain = false;
	bool colour = true;
	bool ascii = false;
};

struct ExplainConfig {
	std::string id;        ///< of a verdict, or what the ids of a connection begin with
	std::string recording; ///< where to look: in this file,
	std::string json;      ///< or in these lines ("-": standard input); neither: in the journal
	std::string time;      ///< beginning of the verdict's time in UTC; empty: any
	std::string svg;       ///< file to write; empty: a diagram on standard output
	bool force = false;    ///< overwrite it
	DiagramChoice diagram;
	std::size_t max_connections = EngineOptions{}.max_connections; ///< of a recording
};

struct PeersConfig {
	std::vector<std::string> states;   ///< files; empty: default_state_file
	std::string recording;             ///< instead of states; empty: none
	std::optional<Address> address;    ///< only this one,
	std::optional<std::uint16_t> port; ///< and this one of its
	PeerOrder order = PeerOrder::endpoint;
	bool json = false;
	bool open = false; ///< the connections of each listener now, too
};

struct DemoConfig {
	bool colour = true;
};

struct DoctorConfig {
	bool json = false;
	HookChoice hooks = HookChoice::automatic;
};

struct DaemonCommand {
	std::string config{default_config_file};
	bool check = false; ///< only read the configuration
};

/// --help and --version.
struct ShowText {
	std::string text;
};

using Command =
	std::variant<ShowText, WatchConfig, ListConfig, TopConfig, RecordConfig, ReplayConfig,
                 ExplainConfig, PeersConfig, DaemonCommand, DemoConfig, DoctorConfig>;

} // namespace stalesock
