// SPDX-License-Identifier: Apache-2.0
#include "app/verdict_watch.hpp"

#include "app/learned.hpp"

#include <fmt/format.h>

namespace stalesock {

VerdictWatch::VerdictWatch(const TopConfig& config, ConnectionLog& log)
	: own_(EngineOptions{}.max_peers) {
	attach(config, log);
	Peers& peers = monitor_ ? monitor_->pipeline().engine().peers() : own_;
	Listeners listeners;
	std::string problem = borrow_learned(config.peers_file, read_clocks(), peers, listeners);
	if (!problem.empty()) {
		gaps_.push_back(std::move(problem));
	}
	log.ask(&peers);
}

void VerdictWatch::attach(const TopConfig& config, ConnectionLog& log) {
	if (!config.verdicts || !config.bpf) {
		return;
	}
	MonitorOptions options;
	options.events = true;
	options.probe.hooks = config.hooks;
	options.probe.filter.netns = config.netns;
	try {
		monitor_ = std::make_unique<Monitor>(options, log);
		gaps_ = monitor_->start();
	} catch (const KernelRefusal& refusal) {
		monitor_.reset();
		gaps_ = {fmt::format("verdicts are not shown: {}", refusal.what())};
	}
}

void VerdictWatch::arm(EventLoop& loop) {
	if (monitor_) {
		monitor_->arm(loop, [] {});
	}
}

std::string VerdictWatch::hook_class() const {
	return monitor_ ? monitor_->probe().hook_class() : std::string{};
}

std::optional<Lost> VerdictWatch::lost() const {
	if (!monitor_) {
		return std::nullopt;
	}
	return monitor_->losses();
}

} // namespace stalesock
