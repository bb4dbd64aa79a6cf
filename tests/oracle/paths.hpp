// SPDX-License-Identifier: Apache-2.0
// What each connection's packets meet with on their way through the relay: a delay, and a middlebox that forgets.
#pragma once

#include "plan.hpp"
#include "raw_packet.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <unordered_map>

namespace oracle {

using Clock = std::chrono::steady_clock;

/// set() is for any thread, carry() for one.
class Paths {
  public:
	void set(std::uint16_t port, Microseconds delay, const Forgetting& forgetting);

	/// What the kernel is to be given in place of this packet, and how much later. Nothing: it is lost.
	[[nodiscard]] std::optional<Microseconds> carry(RawPacket& packet, Clock::time_point now);

  private:
	struct Path {
		std::atomic<std::uint32_t> delay_us = 0;
		std::atomic<std::uint32_t> forgets_after_us = 0; ///< 0: never
		std::atomic<bool> resets = false;
	};
	struct Memory {
		Clock::time_point last_packet;
		bool established = false;
		bool forgotten = false;
	};

	[[nodiscard]] std::uint16_t client_port(const RawPacket& packet, const Layout& layout) const;
	[[nodiscard]] bool has_forgotten(std::uint16_t port, bool opens, Clock::time_point now);

	std::array<Path, 65'536> paths_{};
	std::unordered_map<std::uint16_t, Memory> memories_; ///< of the paths that forget
};

} // namespace oracle
