// SPDX-License-Identifier: Apache-2.0
// A private network namespace with a loopback and a TUN device whose packets the relay carries.
#pragma once

#include "plan.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace oracle {

/// errno as an exception: the machine does not let the test run.
class SystemFailure : public std::runtime_error {
  public:
	explicit SystemFailure(const std::string& what);
};

/// A descriptor that closes itself.
class Descriptor {
  public:
	Descriptor() = default;
	explicit Descriptor(int number) : number_(number) {}
	Descriptor(Descriptor&& other) noexcept;
	Descriptor& operator=(Descriptor&& other) noexcept;
	~Descriptor() { reset(); }

	[[nodiscard]] int get() const { return number_; }
	void reset();

  private:
	int number_ = -1;
};

inline constexpr const char* loopback_name = "lo";
inline constexpr const char* tunnel_name = "oracle0";
/// Real sockets have addresses ending in .1; the relay swaps source and destination of what is sent
/// to .2, so that it comes back to the other real socket. The checksum does not notice.
inline constexpr const char* tunnel_address_ipv4 = "10.9.0.1";
inline constexpr const char* relayed_address_ipv4 = "10.9.0.2";
inline constexpr const char* tunnel_address_ipv6 = "fd09::1";
inline constexpr const char* relayed_address_ipv6 = "fd09::2";

/// Leaves the namespace we are in for a new one. Before the first thread is started.
void enter_private_network();

/// Brings the loopback up and creates the TUN device; the descriptor carries its packets.
[[nodiscard]] Descriptor set_up_devices();

struct SocketAddress {
	sockaddr_storage storage{};
	socklen_t length = 0;

	[[nodiscard]] const sockaddr* get() const {
		return reinterpret_cast<const sockaddr*>(&storage);
	}
};

/// The address that a real socket of this plan is bound to.
[[nodiscard]] SocketAddress bound_address(const Plan& plan, std::uint16_t port);
/// The address under which the other one finds it.
[[nodiscard]] SocketAddress reached_address(const Plan& plan, std::uint16_t port);

} // namespace oracle
