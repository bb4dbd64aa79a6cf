// SPDX-License-Identifier: Apache-2.0
// A verdict: what went wrong (or was observed) on one connection, with its evidence.
#pragma once

#include "model/event.hpp"
#include "verdict/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stalesock {

enum class VerdictKind : std::uint8_t {
	stale_reuse,
	reuse_race,
	unanswered_close,
	dirty_close,
	abandoned_response,
	early_response,
	half_close_response,
	farewell_write,
	idle_close,
	limit_close,
	early_idle_close,
	dirty_idle,
	close_wait_leak,
	silent_drop,
	peer_unresponsive,
	pool_mismatch,
	keepalive_ineffective,
	keepalive_late,
};
inline constexpr std::size_t verdict_kind_count = 18;

enum class Severity : std::uint8_t { info, notice, warning, error };
enum class Confidence : std::uint8_t { possible, likely, certain };

/// "stale_reuse", ...: the names of the JSON contract.
[[nodiscard]] std::string_view to_string(VerdictKind kind);
[[nodiscard]] std::string_view to_string(Severity severity);
[[nodiscard]] std::string_view to_string(Confidence confidence);
/// The inverse; nothing for a name that is not one.
[[nodiscard]] std::optional<VerdictKind> parse_verdict_kind(std::string_view name);
[[nodiscard]] std::optional<Severity> parse_severity(std::string_view name);
[[nodiscard]] Severity severity_of(VerdictKind kind);

/// What is known of the connection a verdict is about.
struct ConnectionFacts {
	std::uint64_t cookie = 0;
	bool ipv6 = false; ///< false for IPv4-mapped addresses too
	Endpoint local;
	Endpoint remote;
	Role role = Role::unknown;
	TcpState state = TcpState::unknown; ///< at the event judged; CLOSE_WAIT for a late write
	std::uint32_t netns = 0;
	std::optional<Nanoseconds> age; ///< since the open; absent for sockets older than us
};

/// Who held the socket. pid and command are absent when nobody is known.
struct Owner {
	OwnerSource source = OwnerSource::unknown;
	std::optional<std::int32_t> pid;
	std::optional<std::string> command; ///< raw: escape before printing
	// Filled in by app/, and raw as well.
	std::optional<std::string> unit;                ///< of systemd
	std::optional<std::string> container{};         ///< its id, or the name of a machine
	std::optional<std::string> container_runtime{}; ///< "docker", "containerd", ...
	std::optional<std::string> pod{};               ///< uid of the Kubernetes pod
	std::string command_line{}; ///< for advice only, never shown; empty: not known
	/// Of the actor at the event (bpf_get_current_cgroup_id); 0: not known.
	std::uint64_t cgroup_id = 0;
	Runtime runtime = Runtime::unknown; ///< of its program, filled in by app/
};

/// Every field is absent unless it was observed.
struct Evidence {
	std::optional<Nanoseconds> idle;        ///< silence of both sides until the FIN (or RST)
	std::optional<Nanoseconds> send_age;    ///< of our last send then, where that is not the same
	std::optional<Nanoseconds> receive_age; ///< age of our last receive then
	std::optional<Nanoseconds> gap;         ///< silence before the write that reused the connection
	std::optional<Nanoseconds> fin_to_write; ///< the peer's FIN to our first late write
	std::optional<Nanoseconds>
		rst_to_write; ///< the peer's RST, which ended it, to our first write after it
	std::optional<std::uint64_t> bytes_after_fin;
	std::optional<std::uint64_t> unread_bytes; ///< not counting the FIN
	std::optional<bool> eof_read;              ///< before the late write or the close
	std::optional<bool> peeked;
	std::optional<bool> rst_received;
	std::optional<bool> rst_sent;
	std::optional<std::uint64_t> unacked_at_fin; ///< bytes written and not acknowledged
	std::optional<std::uint64_t> bytes_sent;
	std::optional<std::uint64_t> bytes_received;
	std::optional<std::uint64_t> turns;            ///< requests so far, where they are counted
	std::optional<std::string> late_head;          ///< class of the late write's first bytes
	std::optional<std::uint64_t> keepalive_probes; ///< seen on this connection
	std::optional<std::uint64_t> retransmits;
	std::optional<Nanoseconds> round_trip; ///< smoothed round-trip time
	std::optional<Nanoseconds> close_wait; ///< since the peer's FIN, while we have not closed
	/// Connections of the same process to the same remote address that are stuck like this one, and for how long
	/// the first of them has been.
	std::optional<std::uint64_t> leaked;
	std::optional<bool> accepted; ///< false: it lies in its listener's queue
	std::optional<Nanoseconds> leaking;
	std::optional<std::string>
		timeout; ///< "keepalive", "user_timeout", "retransmission", "zero_window"
	std::optional<Nanoseconds>
		keepalive_idle; ///< effective TCP_KEEPIDLE; absent when keepalive is off
	std::optional<std::uint64_t>
		near_misses; ///< reuses of this endpoint shortly before its timeout
	std::optional<Nanoseconds>
		dropped_after; ///< shortest idle time after which this path forgot a connection
};

/// What has been learned of the server at the other end; see Peers.
struct PeerFacts {
	Nanoseconds idle_timeout{};     ///< shortest idle time after which it closes
	Nanoseconds spread{};           ///< how much longer it takes at most
	std::uint32_t observations = 0; ///< closes that agree
	std::uint32_t remembered = 0;   ///< closes looked at, those that do not agree included
};

/// The other end of the connection, where it is on this host too. Ages are those at the time of the verdict.
struct OtherEnd {
	std::uint64_t cookie = 0;
	Owner owner{};
	std::optional<Nanoseconds> fin_age;   ///< since its application ended its sending
	std::optional<Nanoseconds> close_age; ///< since its application closed the socket
};

struct Verdict {
	VerdictKind kind = VerdictKind::stale_reuse;
	Confidence confidence = Confidence::certain;
	std::string inferred;            ///< which fact was inferred; empty when confidence is certain
	bool counts_when_agreed = false; ///< Finding::counts_when_agreed
	Nanoseconds time{};              ///< boot time of the fact it reports
	std::string id;                  ///< unique for this boot: cookie and ordinal
	ConnectionFacts connection;
	Owner owner;
	Evidence evidence;
	std::optional<PeerFacts> peer; ///< absent while its idle timeout is not learned
	std::optional<OtherEnd> other_end{};
	std::string message; ///< one sentence, numbers included, safe to print
	std::string advice;  ///< one sentence; empty where there is none
};

} // namespace stalesock
