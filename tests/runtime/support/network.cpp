// SPDX-License-Identifier: Apache-2.0
#include "support/network.hpp"

#include "support/descriptor.hpp"

#include <arpa/inet.h>
#include <fstream>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace runtime {

namespace {

ifreq request_for(const std::string& interface) {
	ifreq request{};
	interface.copy(request.ifr_name, IFNAMSIZ - 1);
	return request;
}

void set_address(int control, const std::string& interface, const std::string& text,
                 unsigned long what) {
	ifreq request = request_for(interface);
	auto* address = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
	address->sin_family = AF_INET;
	inet_pton(AF_INET, text.c_str(), &address->sin_addr);
	checked(ioctl(control, what, &request), "set the address of an interface");
}

} // namespace

void bring_up(const std::string& interface, const std::string& address) {
	const Descriptor control(checked(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
	if (!address.empty()) {
		set_address(control, interface, address, SIOCSIFADDR);
		set_address(control, interface, "255.255.255.0", SIOCSIFNETMASK);
	}
	ifreq request = request_for(interface);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	checked(ioctl(control, SIOCSIFFLAGS, &request), "bring an interface up");
}

void write_setting(const std::string& path, const std::string& value) {
	std::ofstream file(path);
	file << value << std::flush;
	if (!file) {
		throw std::runtime_error("cannot write " + value + " to " + path);
	}
}

void enter_private_network() {
	checked(unshare(CLONE_NEWNET), "unshare a network namespace (are you root?)");
	bring_up("lo");
	// Fast Open for both sides, without a cookie.
	write_setting("/proc/sys/net/ipv4/tcp_fastopen", "519");
}

} // namespace runtime
