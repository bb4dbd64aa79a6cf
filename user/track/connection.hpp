// SPDX-License-Identifier: Apache-2.0
// What is remembered of one connection between events.
#pragma once

#include "model/event.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace stalesock {

/// Ages are read with the resolution of a jiffy.
inline constexpr Nanoseconds default_tick{4'000'000};

/// What was learned at the peer's FIN and after it. Only connections in (or past) CLOSE_WAIT have it.
struct FinFacts {
	Nanoseconds time{};              ///< boot time of the FIN
	bool time_inferred = false;      ///< from the age of the last ACK: the FIN itself was not seen
	bool missed = false;             ///< although the connection was watched when it came
	std::optional<SocketView> view;  ///< the socket at the FIN; absent when it was not seen
	std::optional<SocketView> found; ///< the socket when it was found, where the FIN was not seen
	Nanoseconds found_time{};        ///< boot time of that
	std::optional<std::uint32_t> write_seq; ///< at the FIN, or when it was found
	bool history_known = false;             ///< watched since the FIN: no EOF read means none
	bool eof_read = false;
	bool eof_peeked = false;
	std::optional<LateWrite> late;
	std::optional<Nanoseconds> judged_at_fin; ///< verdict on the FIN itself is due then (deferred)
	std::optional<Nanoseconds> judge_late_at; ///< verdict on the late write is due then
	bool answered_early = false;              ///< an early response was reported at the FIN
	bool late_judged = false;
	bool late_was_control = false; ///< flow control of HTTP/2, as judged: a request may follow
	bool rst_received = false;
	bool late_resent =
		false; ///< what was written after the FIN was retransmitted: nobody had acknowledged any of it
	/// When a view last showed what was written after the FIN as not acknowledged.
	std::optional<Nanoseconds> late_unacked;
	bool late_taken = false; ///< the peer acknowledged some of it
	bool closed_by_us = false;
	std::optional<Nanoseconds> closed; ///< boot time of that
	/// Who holds a descriptor, as the last look over all descriptors found it; absent before the first one.
	std::optional<Actor> holder;
	Nanoseconds holder_seen{};
	bool unaccepted = false; ///< nobody does: it lies in its listener's queue
	bool leak_told = false;
	std::int32_t leak_pid = 0; ///< who held it then; 0: unknown
};

/// Kept small: one exists for every tracked connection. `cookie` 0 marks a free slot.
struct Connection {
	std::uint64_t cookie = 0;
	Nanoseconds opened{}; ///< boot time; only with opened_known
	Nanoseconds last_event{};
	std::unique_ptr<FinFacts> fin;
	Address local_address;
	Address remote_address;
	std::uint16_t local_port = 0;
	std::uint16_t remote_port = 0;
	std::uint32_t netns = 0;
	std::uint64_t owner_cgroup = 0; ///< id; 0: unknown
	std::int32_t owner_pid = 0;     ///< 0: unknown
	std::array<char, 16> owner_command{};
	OwnerSource owner_source = OwnerSource::unknown;
	TcpState state = TcpState::unknown;
	Role role = Role::unknown;
	bool role_inferred = false;
	Sight sight = Sight::socket;
	bool opened_known = false;
	bool fin_due = false;               ///< watched before its peer closed it: the FIN will be told
	std::uint32_t verdicts = 0;         ///< reported so far: the ordinal of the next id
	std::uint16_t keepalive_probes = 0; ///< seen, saturating
	bool probe_answered = false;        ///< one of them, before the last
	bool dirty_told = false;
	bool silent_drop_told = false;
	bool farewell_said = false;     ///< before the peer's FIN was here
	std::uint32_t farewell_seq = 0; ///< write_seq before it

	[[nodiscard]] Endpoint local() const { return {local_address, local_port}; }
	[[nodiscard]] Endpoint remote() const { return {remote_address, remote_port}; }
	[[nodiscard]] std::string_view owner_name() const;
};

} // namespace stalesock
