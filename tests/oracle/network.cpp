// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace oracle {

SystemFailure::SystemFailure(const std::string& what)
	: std::runtime_error(what + ": " + std::strerror(errno)) {}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
	if (this != &other) {
		reset();
		number_ = std::exchange(other.number_, -1);
	}
	return *this;
}

void Descriptor::reset() {
	if (number_ >= 0)
		::close(number_);
	number_ = -1;
}

namespace {

/// struct in6_ifreq of <linux/ipv6.h>, which does not go with the C library's headers.
struct Ipv6Request {
	in6_addr address;
	std::uint32_t prefix_length;
	int interface_index;
};

constexpr int queue_length = 10'000; ///< packets; none may be lost on the way to the relay
constexpr std::uint32_t ipv6_prefix_length = 64;

ifreq request_for(const char* name) {
	ifreq request{};
	std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return request;
}

void control(const Descriptor& socket, unsigned long command, void* argument, const char* what) {
	if (::ioctl(socket.get(), command, argument) != 0)
		throw SystemFailure(what);
}

sockaddr_in ipv4_address(const char* text, std::uint16_t port) {
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	::inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

sockaddr_in6 ipv6_address(const char* text, std::uint16_t port) {
	sockaddr_in6 address{};
	address.sin6_family = AF_INET6;
	address.sin6_port = htons(port);
	::inet_pton(AF_INET6, text, &address.sin6_addr);
	return address;
}

void bring_up(const Descriptor& socket, const char* name) {
	ifreq request = request_for(name);
	control(socket, SIOCGIFFLAGS, &request, "reading the flags of a device");
	request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
	control(socket, SIOCSIFFLAGS, &request, "bringing a device up");
}

void set_ipv4(const Descriptor& socket, const char* name) {
	ifreq request = request_for(name);
	const sockaddr_in address = ipv4_address(tunnel_address_ipv4, 0);
	std::memcpy(&request.ifr_addr, &address, sizeof address);
	control(socket, SIOCSIFADDR, &request, "setting the TUN device's address");
	const sockaddr_in mask = ipv4_address("255.255.255.0", 0);
	std::memcpy(&request.ifr_netmask, &mask, sizeof mask);
	control(socket, SIOCSIFNETMASK, &request, "setting the TUN device's netmask");
}

void set_ipv6(const char* name) {
	const Descriptor socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	Ipv6Request request{};
	request.address = ipv6_address(tunnel_address_ipv6, 0).sin6_addr;
	request.prefix_length = ipv6_prefix_length;
	request.interface_index = static_cast<int>(::if_nametoindex(name));
	control(socket, SIOCSIFADDR, &request, "setting the TUN device's IPv6 address");
}

Descriptor create_tunnel() {
	Descriptor tunnel(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
	if (tunnel.get() < 0)
		throw SystemFailure("opening /dev/net/tun");
	ifreq request = request_for(tunnel_name);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	control(tunnel, TUNSETIFF, &request, "creating a TUN device");
	return tunnel;
}

SocketAddress socket_address(const Plan& plan, const char* ipv4, const char* ipv6,
                             std::uint16_t port) {
	SocketAddress result;
	if (plan.family == Family::ipv4) {
		const sockaddr_in address = ipv4_address(ipv4, port);
		std::memcpy(&result.storage, &address, sizeof address);
		result.length = sizeof address;
	} else {
		const sockaddr_in6 address = ipv6_address(ipv6, port);
		std::memcpy(&result.storage, &address, sizeof address);
		result.length = sizeof address;
	}
	return result;
}

} // namespace

void enter_private_network() {
	if (::unshare(CLONE_NEWNET) != 0)
		throw SystemFailure("creating a network namespace");
}

Descriptor set_up_devices() {
	const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	bring_up(socket, loopback_name);
	Descriptor tunnel = create_tunnel();
	ifreq request = request_for(tunnel_name);
	request.ifr_qlen = queue_length;
	control(socket, SIOCSIFTXQLEN, &request, "setting the TUN device's queue length");
	set_ipv4(socket, tunnel_name);
	bring_up(socket, tunnel_name);
	set_ipv6(tunnel_name);
	return tunnel;
}

SocketAddress bound_address(const Plan& plan, std::uint16_t port) {
	if (plan.path == Path::loopback)
		return socket_address(plan, "127.0.0.1", "::1", port);
	return socket_address(plan, tunnel_address_ipv4, tunnel_address_ipv6, port);
}

SocketAddress reached_address(const Plan& plan, std::uint16_t port) {
	if (plan.path == Path::loopback)
		return bound_address(plan, port);
	return socket_address(plan, relayed_address_ipv4, relayed_address_ipv6, port);
}

} // namespace oracle
