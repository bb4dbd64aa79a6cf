// SPDX-License-Identifier: Apache-2.0
// What the engine keeps, and the steps that judge an event. Only engine*.cpp include it.
#pragma once

#include "track/tracker.hpp"
#include "verdict/engine.hpp"
#include "verdict/leaks.hpp"
#include "verdict/listener_holders.hpp"
#include "verdict/mentions.hpp"
#include "verdict/pairs.hpp"
#include "verdict/resets.hpp"
#include "verdict/rules.hpp"
#include "verdict/spent_ids.hpp"

#include <absl/container/flat_hash_map.h>
#include <algorithm>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace stalesock {

struct Engine::State {
	explicit State(const EngineOptions& chosen)
		: options(chosen), tracker(std::max<std::size_t>(chosen.max_connections, 1),
	                               [this](const Connection& gone) { on_gone(gone); }),
		  peers(chosen.max_peers) {}

	EngineOptions options;
	Leaks leaks;        ///< before the tracker, which tells it of every connection that goes
	Pairs pairs;        ///< likewise
	SpentIds spent_ids; ///< likewise
	/// Connections that were taken up again after a silence that their servers are believed not to stand: by cookie, until it
	/// turns out. They are few: that belief ends with the first answer.
	struct Survival {
		Nanoseconds gap{};
		std::uint64_t received = 0; ///< bytes, before it
	};
	absl::flat_hash_map<std::uint64_t, Survival> survivals; ///< likewise
	Tracker tracker;
	Peers peers;
	Listeners listeners;
	Mentions mentions;
	Resets resets;
	ListenerHolders listener_holders;
	/// Of passive openers, which a client on this host may yet tell better: by the end of the wait, and by cookie.
	struct Held {
		Nanoseconds due{};
		Verdict verdict;
	};
	static constexpr std::size_t most_held =
		1024; ///< of about 1 KiB each; beyond, the oldest are told at once
	std::deque<Held> held;

	/// Leaks that a scan has found: those of one process and peer are told together, when the scan is over.
	struct FoundLeak {
		std::uint64_t cookie = 0;
		Finding finding;
	};
	std::vector<FoundLeak> found_leaks;
	Nanoseconds leaks_due{};
	bool holders_wanted = false;             ///< nobody has looked yet who holds them now
	std::optional<Nanoseconds> holders_seen; ///< boot time of the last complete look
	Nanoseconds reached{};                   ///< how far the watch has come

	/// Connections that wait for more evidence, by the time it is enough.
	std::set<std::pair<Nanoseconds, std::uint64_t>> due;

	/// What a former process knew of connections that we have not met yet.
	absl::flat_hash_map<std::uint64_t, Continuation> former;

	void take_up(Connection& connection, const Event& event, const Handler& handler);
	void remember(std::uint64_t cookie);
	void on_gone(const Connection& connection);

	[[nodiscard]] Situation situation(const Connection& connection, const Event* event) const {
		return {connection, event, options.tick, options.waiting, {}, reached};
	}

	/// With what the other end tells.
	[[nodiscard]] Situation situation_at_end(const Connection& connection, const Event& event);

	void report(Connection& connection, Finding finding, const Event* event,
	            const Handler& handler);
	void teach_silent_drop(const Connection& connection, Verdict& verdict);
	/// Only once an hour of each program and peer.
	void mention(Connection& connection, const std::optional<Finding>& finding, const Event& event,
	             const Handler& handler);
	void judge(Connection& connection, std::span<const Rule> rules, const Event* event,
	           const Handler& handler);

	void on_peer_fin(Connection& connection, const Event& event, const Handler& handler);
	void on_missed_fin(Connection& connection, const Event& event, const Handler& handler);
	void on_late_write(Connection& connection, const Handler& handler);
	void on_our_close(Connection& connection, const Event& event, const Handler& handler);
	void on_scan(Connection& connection, const Event& event, const Handler& handler);
	void tell_leaks(const Handler& handler);
	void tell_held(Nanoseconds now, const Handler& handler);
	void drop_held(std::uint64_t cookie);
	[[nodiscard]] Owner owner_of_leak(const Connection& connection, Nanoseconds now) const;
	void on_retransmission(Connection& connection, const Event& event, const Handler& handler);
	void note_survival(const Connection& connection, const Event& event);
	void on_reuse(Connection& connection, const Event& event, const Handler& handler);
	void on_reset(Connection& connection, const Event& event, const Handler& handler);
	void keep_reset(const Connection& connection, const Finding& finding, const Event& event);
	void on_refused_write(const Event& event, const Handler& handler);
	void consider_keepalive(Connection& connection, const Event& event, const Handler& handler);
	void on_end(Connection& connection, const Event& event, const Handler& handler);
	void dispatch(Connection& connection, const Event& event, const Handler& handler);

	void settle_fin(Connection& connection, const Handler& handler);
	void settle_late_write(Connection& connection, const Handler& handler);
	void settle_due_write(Connection& connection, const Handler& handler);
	void settle_passive(Connection& connection, const Event& event, const Handler& handler);
	void settle_due(Nanoseconds now, const Handler& handler);
};

} // namespace stalesock
