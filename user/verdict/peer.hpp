// SPDX-License-Identifier: Apache-2.0
// What has been learned of one endpoint.
#pragma once

#include "verdict/learned_table.hpp"
#include "verdict/observations.hpp"
#include "verdict/verdict.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stalesock {

/// A command name as the kernel keeps it: up to 16 bytes, raw; escape before printing. Empty: not known.
class CommandName {
  public:
	CommandName() = default;
	explicit CommandName(std::string_view text);

	[[nodiscard]] std::string_view text() const;

  private:
	std::array<char, 16> bytes_{};
};

/// The longest idle time of the last 7 days after which a connection was used again, whether that went well or
/// not.
struct LongestReuse {
	Nanoseconds gap{};
	Nanoseconds seen{};  ///< boot time
	CommandName command; ///< of the local process that did it

	[[nodiscard]] std::string_view command_name() const { return command.text(); }
};

/// A remote endpoint that this host connects to.
struct Peer {
	PeerKey key;
	Nanoseconds last_seen = Nanoseconds::min(); ///< boot time of the last verdict or reuse
	Nanoseconds learned_at{};                   ///< boot time at which what follows was last aged
	/// Verdicts on connections that we opened, by kind: all, whether they taught a time or not.
	std::array<std::uint32_t, verdict_kind_count> verdicts{};
	std::uint32_t idle_resets = 0; ///< those of idle_close that came by RST
	std::uint32_t near_misses = 0; ///< reuses at 0.8 of the learned idle timeout or later
	Observations idle_times;
	Observations lifetimes;
	Observations
		silent_drops; ///< idle times before writes, or keepalive probes, that nobody answered
	Nanoseconds last_drop = Nanoseconds::min(); ///< boot time of the last of them, counted or not
	RecentValues request_counts;                ///< turns at limit closes, where they are counted
	std::optional<Agreement> idle_timeout;      ///< what idle_times agree on
	std::optional<Agreement> lifetime;          ///< what lifetimes agree on
	/// From three silent drops on. The path had forgotten connections idle for `lowest`, the shortest of them, and
	/// longer; three times at `highest` or sooner. Its own limit may be shorter than both.
	std::optional<Agreement> silent_drop_limit;
	std::optional<ValueAgreement> request_limit; ///< what request_counts agree on
	std::optional<LongestReuse> longest_reuse;

	[[nodiscard]] std::uint32_t count(VerdictKind kind) const {
		return verdicts.at(static_cast<std::size_t>(kind));
	}
	[[nodiscard]] bool has_taught() const {
		return idle_timeout || lifetime || silent_drop_limit || request_limit;
	}
};

/// A local endpoint that others connect to: what we do to idle clients, and they to us.
struct Listener {
	PeerKey key;
	Nanoseconds last_seen = Nanoseconds::min();
	Nanoseconds learned_at{};
	std::uint32_t idle_closes = 0;        ///< idle connections that we ended
	std::uint32_t client_idle_closes = 0; ///< idle connections that clients ended
	std::uint32_t near_misses = 0;        ///< clients' reuses at 0.8 of our idle timeout or later
	Observations idle_times;              ///< at our FIN
	Observations client_idle_times;       ///< at the clients'
	std::optional<Agreement> idle_timeout;
	std::optional<Agreement> client_timeout;
	std::optional<LongestReuse> longest_reuse; ///< by a client
	CommandName command;                       ///< of the process that closed last

	[[nodiscard]] bool has_taught() const { return idle_timeout || client_timeout; }
};

/// Loopback or link-local (127.0.0.0/8, ::1, 169.254.0.0/16, fe80::/10): means another host in each network namespace.
[[nodiscard]] bool is_local(const Address& address);

[[nodiscard]] PeerKey peer_key(const Endpoint& endpoint, std::uint32_t netns);

/// Forgets what is too old to be told at `now`, and looks again at what the rest agrees on.
void age(Peer& peer, Nanoseconds now);
void age(Listener& listener, Nanoseconds now);

/// Looks again at what observations agree on.
void relearn(Peer& peer);
void relearn(Listener& listener);

/// A reuse this near to the timeout (0.8 of it) could have been too late: slow paths and late timers take the rest.
/// Clearly longer than any time after which that server is believed to close.
[[nodiscard]] bool is_beyond(Nanoseconds gap, const std::optional<Agreement>& timeout);

[[nodiscard]] bool is_near_miss(Nanoseconds gap, Nanoseconds timeout);

/// Keeps the longer of two; the earlier of two as long.
void keep_longest(std::optional<LongestReuse>& longest, const LongestReuse& reuse);

/// Takes in what was learned elsewhere, or before.
void merge(Peer& peer, const Peer& other);
void merge(Listener& listener, const Listener& other);

/// Saturates.
void add_to(std::uint32_t& counter, std::uint32_t count = 1);

} // namespace stalesock
