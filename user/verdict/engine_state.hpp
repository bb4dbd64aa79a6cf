// SPDX-License-Identifier: Apache-2.0
// What the engine keeps, and the steps that judge an event. Only engine*.cpp include it.
#pragma once

#include "track/tracker.hpp"
#include "verdict/engine.hpp"
#include "verdict/leaks.hpp"
#include "verdict/mentions.hpp"
#include "verdict/pairs.hpp"
#include "verdict/rules.hpp"

#include <absl/container/flat_hash_map.h>
#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace stalesock {

struct Engine::State {
	explicit State(const EngineOptions& chosen)
		: options(chosen), tracker(std::max<std::size_t>(chosen.max_connections, 1),
	                               [this](const Connection& gone) { on_gone(gone); }),
		  peers(chosen.max_peers) {}

	EngineOptions options;
	Leaks leaks; ///< before the tracker, which tells it of every connection that goes
	Pairs pairs; ///< likewise
	Tracker tracker;
	Peers peers;
	Listeners listeners;
	Mentions mentions;
	/// Connections that wait for more evidence, by the time it is enough.
	std::set<std::pair<Nanoseconds, std::uint64_t>> due;

	/// What a former process knew of connections that we have not met yet.
	absl::flat_hash_map<std::uint64_t, Continuation> former;

	void take_up(Connection& connection, const Event& event, const Handler& handler);
	void remember(std::uint64_t cookie);
	void on_gone(const Connection& connection);

	[[nodiscard]] Situation situation(const Connection& connection, const Event* event) const {
		return {connection, event, options.tick, options.waiting};
	}

	void report(Connection& connection, Finding finding, const Event* event,
	            const Handler& handler);
	void teach_silent_drop(const Connection& connection, Verdict& verdict);
	/// Only once an hour of each program and peer.
	void mention(Connection& connection, const std::optional<Finding>& finding, const Event& event,
	             const Handler& handler);
	void judge(Connection& connection, std::span<const Rule> rules, const Event* event,
	           const Handler& handler);

	void on_peer_fin(Connection& connection, const Event& event, const Handler& handler);
	void on_late_write(Connection& connection, const Handler& handler);
	void on_our_close(Connection& connection, const Event& event, const Handler& handler);
	void on_scan(Connection& connection, const Event& event, const Handler& handler);
	void on_retransmission(Connection& connection, const Event& event, const Handler& handler);
	void on_reuse(Connection& connection, const Event& event, const Handler& handler);
	void on_reset(Connection& connection, const Event& event, const Handler& handler);
	void consider_keepalive(Connection& connection, const Event& event, const Handler& handler);
	void on_end(Connection& connection, const Event& event, const Handler& handler);
	void dispatch(Connection& connection, const Event& event, const Handler& handler);

	void settle_fin(Connection& connection, const Handler& handler);
	void settle_late_write(Connection& connection, const Handler& handler);
	void settle_passive(Connection& connection, const Event& event, const Handler& handler);
	void settle_due(Nanoseconds now, const Handler& handler);
};

} // namespace stalesock
