// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

#include "capture.hpp"
#include "relay.hpp"
#include "support/stalls.hpp"
#include "watcher.hpp"

#include <chrono>
#include <fstream>
#include <optional>
#include <thread>

namespace oracle {

namespace {

/// Verdicts that wait for more evidence are settled by then.
constexpr std::chrono::milliseconds settling_time{1500};

} // namespace

Evidence collect(const Options& options, const std::vector<unsigned>& indices, unsigned jobs,
                 const std::string& folder) {
	enter_private_network();
	Relay relay(set_up_devices());
	std::optional<Watcher> watcher;
	if (options.with_product)
		watcher.emplace(options.program, options.events);
	Evidence evidence;
	evidence.captures = {folder + "/loopback.pcap", folder + "/relayed.pcap"};
	Capture loopback(loopback_name, evidence.captures.front());
	Capture tunnel(tunnel_name, evidence.captures.back());

	machine::StallWatch stall_watch;
	evidence.finished = run_connections(relay, options.seed, indices, jobs);
	std::this_thread::sleep_for(settling_time);
	evidence.stalls = stall_watch.stop();
	loopback.stop();
	tunnel.stop();
	if (watcher) {
		evidence.transcript = watcher->stop();
		std::ofstream(folder + "/verdicts.jsonl") << evidence.transcript.output;
	}
	evidence.lost_packets = loopback.dropped() + tunnel.dropped() + relay.refused();
	add_views(evidence.views, loopback.packets());
	add_views(evidence.views, tunnel.packets());
	return evidence;
}

void save(const Judgement& judgement, const std::string& folder) {
	std::ofstream(folder + "/stories.txt") << judgement.all_stories;
	std::ofstream(folder + "/table.txt") << judgement.table;
	std::ofstream(folder + "/behaviours.txt") << judgement.cross_table;
}

} // namespace oracle
