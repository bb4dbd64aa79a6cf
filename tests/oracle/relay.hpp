// SPDX-License-Identifier: Apache-2.0
// Carries the packets of the TUN device from one real socket to the other, late but in order.
#pragma once

#include "network.hpp"
#include "paths.hpp"

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>

namespace oracle {

/// One thread. Segments are never changed but for the swapped addresses, nor lost but by a middlebox, so that every sequence
/// number and acknowledgement is the sockets' own and both ends of a TCP connection can close it
/// while the other's FIN is on its way: a proxy could not show that.
class Relay {
  public:
	/// The descriptor of the TUN device, not blocking.
	explicit Relay(Descriptor tunnel);
	~Relay();
	Relay(const Relay&) = delete;
	Relay& operator=(const Relay&) = delete;

	/// What packets from or to this port of a client meet with.
	void set_path(std::uint16_t port, Microseconds delay, const Forgetting& forgetting);

	/// Packets that the kernel did not take back, since the start. Any at all spoils the test.
	[[nodiscard]] std::uint64_t refused() const { return refused_; }

  private:
	void run(const std::stop_token& stop);

	Descriptor tunnel_;
	Paths paths_;
	std::atomic<std::uint64_t> refused_ = 0;
	std::jthread thread_;
};

} // namespace oracle
