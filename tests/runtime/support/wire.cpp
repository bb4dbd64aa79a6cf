// SPDX-License-Identifier: Apache-2.0
#include "support/wire.hpp"

#include "support/network.hpp"

#include <algorithm>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

namespace runtime {

namespace {

constexpr const char* device_name = "wire0";
constexpr std::size_t ipv4_header = 20;
constexpr std::size_t source_offset = 12;
constexpr std::size_t destination_offset = 16;

Descriptor open_device() {
	Descriptor device(
		checked(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), "/dev/net/tun"));
	ifreq request{};
	std::string(device_name).copy(request.ifr_name, IFNAMSIZ - 1);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	checked(ioctl(device, TUNSETIFF, &request), "TUNSETIFF");
	bring_up(device_name, Wire::near);
	return device;
}

bool is_ipv4_tcp(const std::vector<std::uint8_t>& packet) {
	return packet.size() >= ipv4_header + 4 && packet[0] == 0x45 && packet[9] == IPPROTO_TCP;
}

std::uint16_t destination_port(const std::vector<std::uint8_t>& packet) {
	return static_cast<std::uint16_t>(packet[ipv4_header + 2] << 8 | packet[ipv4_header + 3]);
}

void swap_addresses(std::vector<std::uint8_t>& packet) {
	std::swap_ranges(packet.begin() + source_offset, packet.begin() + source_offset + 4,
	                 packet.begin() + destination_offset);
}

} // namespace

Wire::Wire()
	: device_(open_device()), stop_(checked(eventfd(0, EFD_CLOEXEC), "eventfd")),
	  carrier_([this] { carry(); }) {}

Wire::~Wire() {
	eventfd_write(stop_, 1);
	carrier_.join();
}

void Wire::carry() {
	std::array<pollfd, 2> sources{{{device_, POLLIN, 0}, {stop_, POLLIN, 0}}};
	while (poll(sources.data(), sources.size(), -1) >= 0 && sources[1].revents == 0) {
		Packet packet(65536);
		const ssize_t length = read(device_, packet.data(), packet.size());
		if (length > 0) {
			packet.resize(static_cast<std::size_t>(length));
			handle(std::move(packet));
		}
	}
}

void Wire::handle(Packet packet) {
	if (!is_ipv4_tcp(packet)) {
		return;
	}
	swap_addresses(packet);
	const std::lock_guard lock(mutex_);
	Lane& way =
		lane(destination_port(packet) == passive_port_ ? Towards::passive : Towards::active);
	if (way.handling == Handling::deliver) {
		deliver(packet);
	} else if (way.handling == Handling::hold) {
		way.held.push_back(std::move(packet));
	}
}

void Wire::deliver(const Packet& packet) {
	checked(write(device_, packet.data(), packet.size()), "write to the wire");
}

void Wire::serve(std::uint16_t passive_port) {
	const std::lock_guard lock(mutex_);
	passive_port_ = passive_port;
}

void Wire::set(Towards direction, Handling handling) {
	const std::lock_guard lock(mutex_);
	lane(direction).handling = handling;
}

void Wire::release(Towards direction) {
	const std::lock_guard lock(mutex_);
	Lane& way = lane(direction);
	for (const Packet& packet : way.held) {
		deliver(packet);
	}
	way = {};
}

void Wire::discard(Towards direction) {
	const std::lock_guard lock(mutex_);
	lane(direction).held.clear();
}

void Wire::wait_for_held(Towards direction, std::size_t count) {
	const bool held = eventually([&] {
		const std::lock_guard lock(mutex_);
		return lane(direction).held.size() >= count;
	});
	if (!held) {
		throw std::runtime_error("the expected packets did not come to the wire");
	}
}

} // namespace runtime
