// SPDX-License-Identifier: Apache-2.0
// What really happened on a connection, decided from packets alone.
#pragma once

#include "support/stalls.hpp"
#include "view.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace oracle {

enum class Kind : std::uint8_t {
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
	silent_drop,
	peer_unresponsive,
	keepalive_ineffective,
	close_wait_leak,
	dirty_idle,
	early_idle_close,
};
inline constexpr std::array all_kinds{
	Kind::stale_reuse,           Kind::reuse_race,         Kind::unanswered_close,
	Kind::dirty_close,           Kind::abandoned_response, Kind::early_response,
	Kind::half_close_response,   Kind::farewell_write,     Kind::idle_close,
	Kind::limit_close,           Kind::silent_drop,        Kind::peer_unresponsive,
	Kind::keepalive_ineffective, Kind::close_wait_leak,    Kind::dirty_idle,
	Kind::early_idle_close,
};
[[nodiscard]] std::string_view to_string(Kind kind);
[[nodiscard]] std::optional<Kind> parse_kind(std::string_view name);

struct Truth {
	std::set<Kind> kinds;
	/// Kinds that packets cannot decide here, and why. Neither a report nor silence is held against
	/// anybody.
	std::map<Kind, std::string> unscored;
	/// Kinds that what applications did decides: no packet shows it.
	std::set<Kind> not_on_wire;
};

/// The two ends of a connection.
struct Witnesses {
	const Witness& own;
	/// Where the product can know it for the peer: both ends have the addresses that they give each other.
	const Witness* peer = nullptr;
};

/// The witness says how many bytes lay unread, and whether it was the application that ended the connection.
[[nodiscard]] Truth truth_of(const View& view, const Witnesses& witnesses,
                             const machine::Stalls& stalls);

} // namespace oracle
