// SPDX-License-Identifier: Apache-2.0
#include "app/network_namespace.hpp"

#include "model/escape.hpp"
#include "probe/descriptor.hpp"
#include "probe/probe.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sched.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace stalesock {

namespace {

std::string reason() {
	return std::strerror(errno); // NOLINT(concurrency-mt-unsafe): one thread
}

void bring_loopback_up() {
	const Descriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
	ifreq request{};
	std::strcpy(request.ifr_name, "lo"); // NOLINT: two letters into sixteen bytes
	request.ifr_flags = IFF_UP;
	if (!socket.valid() || ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
		throw KernelRefusal(fmt::format(
			"the loopback interface of a new network namespace cannot be brought up: {}",
			reason()));
	}
}

} // namespace

std::uint32_t network_namespace_at(const std::string& path) {
	const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	struct stat status {};
	if (!file.valid() || fstat(file.get(), &status) != 0) {
		throw std::invalid_argument(
			fmt::format("\"{}\" cannot be opened: {}", escape_untrusted(path), reason()));
	}
	if (ioctl(file.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
		throw std::invalid_argument(
			fmt::format("\"{}\" is not a network namespace", escape_untrusted(path)));
	}
	return static_cast<std::uint32_t>(status.st_ino);
}

void enter_private_network_namespace() {
	if (unshare(CLONE_NEWNET) != 0) {
		throw KernelRefusal(fmt::format(
			"a private network namespace is refused ({}): CAP_SYS_ADMIN is needed, run as root",
			reason()));
	}
	bring_loopback_up();
}

} // namespace stalesock
