// SPDX-License-Identifier: Apache-2.0
// What has been learned, as text that outlives the program and the boot. Pure: files are app's.
#pragma once

#include "verdict/listeners.hpp"
#include "verdict/peers.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// Of the text: raised with every change that an older reader would misread. Fields are added without.
inline constexpr int state_version = 1;

/// Where and when something is learned. Boot time and the numbers of network namespaces mean something in one boot of one
/// host only.
struct Place {
	std::string host;        ///< opaque; empty: not known, like all that is not known
	std::string boot;        ///< opaque
	std::uint32_t netns = 0; ///< the host's own network namespace, as this boot numbers it
	Nanoseconds boot_time{};
	std::int64_t unix_seconds = 0;
};

struct SavedState {
	/// Stands for the host's own network namespace; no namespace has this number.
	static constexpr std::uint32_t own_namespace = 1;

	Place place; ///< where and when it was saved; times of the endpoints are relative to that
	std::vector<Peer> peers;
	std::vector<Listener> listeners;
};

/// The text is not a state, of a newer version, cut off or damaged. what() says what and where, and is safe to print.
class StateRefused : public std::runtime_error {
  public:
	using std::runtime_error::runtime_error;
};

/// JSON, one endpoint a line.
[[nodiscard]] std::string state_text(const Peers& peers, const Listeners& listeners,
                                     const Place& now);

/// All of it or, throwing StateRefused, nothing.
[[nodiscard]] SavedState parse_state(std::string_view input);

struct StateMerge {
	std::size_t endpoints = 0; ///< taken in
	/// Left out: loopback and link-local addresses of another host, or of a network namespace of an
	/// earlier boot.
	std::size_t elsewhere = 0;
};

/// Adds what was saved to what is known at `now`. Ages are kept: time passes while nothing runs. Endpoints on loopback
/// in the host's own namespace are known again after a reboot, those of containers only within the boot.
StateMerge merge_state(const SavedState& saved, const Place& now, Peers& peers,
                       Listeners& listeners);

} // namespace stalesock
