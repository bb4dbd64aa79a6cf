// SPDX-License-Identifier: Apache-2.0
// What the two ends of one connection will do. A plan is never used as truth.
#pragma once

#include "wire.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace oracle {

using Microseconds = std::chrono::microseconds;

enum class Family : std::uint8_t { ipv4, ipv6 };
enum class Path : std::uint8_t { loopback, relayed };

/// What a middlebox does that forgets a connection which was silent for `after`. Relayed only.
struct Forgetting {
	Microseconds after{}; ///< 0: it never does
	bool resets = false;  ///< answers what comes then with an RST; else it says nothing
};

enum class Action : std::uint8_t {
	send,           ///< `size` bytes beginning with `head`
	receive,        ///< exactly `size` bytes, or what comes before the end
	receive_to_end, ///< until the end of file or an error
	peek,           ///< one MSG_PEEK | MSG_DONTWAIT
	pause,          ///< for `time`
	serve,          ///< answer requests of `size` bytes with `reply` bytes until idle for `time`
	keep_alive,     ///< SO_KEEPALIVE: after `time` (whole seconds), `size` probes a second apart
	user_timeout,   ///< TCP_USER_TIMEOUT of `time` (whole milliseconds)
	shut_write,     ///< shutdown(SHUT_WR)
	close,
	reset, ///< close with SO_LINGER 0
};

struct Step {
	Action action = Action::pause;
	std::size_t size = 0;
	std::size_t reply = 0;
	Microseconds time{};
	Head head = Head::request;
};

using Steps = std::vector<Step>;

struct Plan {
	std::string name;
	Family family = Family::ipv4;
	Path path = Path::loopback;
	Microseconds delay{}; ///< one way, relayed only
	Forgetting forgetting;
	/// Connections of one group, other than 0, go to the same listener; they agree on family and path.
	unsigned group = 0;
	Steps active;
	Steps passive;
};

/// A pool of connections to one server, one after the other by their indices.
inline constexpr unsigned group_size = 8;

/// Whether the connections around `index` are such a pool, all of them together.
[[nodiscard]] bool is_in_group(unsigned index);

/// The plan of connection `index`: the same for the same seed, whatever else runs.
[[nodiscard]] Plan make_plan(std::uint64_t seed, unsigned index);

} // namespace oracle
