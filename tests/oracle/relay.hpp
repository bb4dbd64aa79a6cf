// SPDX-License-Identifier: Apache-2.0
// Carries the packets of the TUN device from one real socket to the other, late but in order.
#pragma once

#include "network.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

namespace oracle {

/// One thread. Segments are never changed but for the swapped addresses, so that every sequence
/// number and acknowledgement is the sockets' own and both ends of a TCP connection can close it
/// while the other's FIN is on its way: a proxy could not show that.
class Relay {
  public:
	/// The descriptor of the TUN device, not blocking.
	explicit Relay(Descriptor tunnel);
	~Relay();
	Relay(const Relay&) = delete;
	Relay& operator=(const Relay&) = delete;

	/// Packets from or to this port of a client arrive this much later.
	void set_delay(std::uint16_t port, Microseconds delay);

	/// Packets that the kernel did not take back, since the start. Any at all spoils the test.
	[[nodiscard]] std::uint64_t refused() const { return refused_; }

  private:
	void run(const std::stop_token& stop);
	[[nodiscard]] Microseconds delay_of(std::uint16_t one_port, std::uint16_t other_port) const;

	Descriptor tunnel_;
	std::array<std::atomic<std::uint32_t>, 65'536> delays_us_{};
	std::atomic<std::uint64_t> refused_ = 0;
	std::jthread thread_;
};

} // namespace oracle
