// SPDX-License-Identifier: Apache-2.0
#include "relay.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace oracle {

namespace {

using Clock = std::chrono::steady_clock;
using Packet = std::vector<std::uint8_t>;
/// Packets due at the same time keep their order.
using Queue = std::multimap<Clock::time_point, Packet>;

constexpr std::size_t largest_packet = 65'536;
constexpr std::chrono::milliseconds longest_wait{50}; ///< also how long stopping takes

struct Layout {
	std::size_t source;
	std::size_t destination;
	std::size_t address_size;
	std::size_t ports;
};

/// Nothing for what is not TCP (the kernel's own multicast) and for fragments.
std::optional<Layout> layout_of(const Packet& packet) {
	const unsigned version = packet.empty() ? 0 : packet[0] >> 4;
	if (version == 4 && packet.size() >= 40 && packet[9] == IPPROTO_TCP)
		return Layout{12, 16, 4, static_cast<std::size_t>(packet[0] & 0x0f) * 4};
	if (version == 6 && packet.size() >= 60 && packet[6] == IPPROTO_TCP)
		return Layout{8, 24, 16, 40};
	return std::nullopt;
}

std::uint16_t port_at(const Packet& packet, std::size_t offset) {
	return static_cast<std::uint16_t>(packet[offset] << 8 | packet[offset + 1]);
}

void swap_addresses(Packet& packet, const Layout& layout) {
	const auto source = packet.begin() + static_cast<std::ptrdiff_t>(layout.source);
	const auto destination = packet.begin() + static_cast<std::ptrdiff_t>(layout.destination);
	std::swap_ranges(source, source + static_cast<std::ptrdiff_t>(layout.address_size),
	                 destination);
}

std::optional<Packet> read_packet(int tunnel) {
	static thread_local std::array<std::uint8_t, largest_packet> buffer;
	const ssize_t size = ::read(tunnel, buffer.data(), buffer.size());
	if (size <= 0)
		return std::nullopt;
	return Packet(buffer.begin(), buffer.begin() + size);
}

void wait_for_packet(int tunnel, const Queue& queue) {
	std::chrono::nanoseconds wait = longest_wait;
	if (!queue.empty())
		wait = std::clamp<std::chrono::nanoseconds>(queue.begin()->first - Clock::now(), {},
		                                            longest_wait);
	const timespec timeout{0, static_cast<long>(wait.count())};
	pollfd readable{tunnel, POLLIN, 0};
	::ppoll(&readable, 1, &timeout, nullptr);
}

std::uint64_t deliver_due(int tunnel, Queue& queue) {
	std::uint64_t refused = 0;
	const Clock::time_point now = Clock::now();
	while (!queue.empty() && queue.begin()->first <= now) {
		const Packet& packet = queue.begin()->second;
		if (::write(tunnel, packet.data(), packet.size()) != static_cast<ssize_t>(packet.size()))
			++refused;
		queue.erase(queue.begin());
	}
	return refused;
}

} // namespace

Relay::Relay(Descriptor tunnel)
	: tunnel_(std::move(tunnel)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Relay::~Relay() {
	thread_.request_stop();
	thread_.join();
}

void Relay::set_delay(std::uint16_t port, Microseconds delay) {
	delays_us_.at(port) = static_cast<std::uint32_t>(delay.count());
}

Microseconds Relay::delay_of(std::uint16_t one_port, std::uint16_t other_port) const {
	return Microseconds(std::max(delays_us_.at(one_port).load(), delays_us_.at(other_port).load()));
}

void Relay::run(const std::stop_token& stop) {
	Queue queue;
	while (!stop.stop_requested()) {
		wait_for_packet(tunnel_.get(), queue);
		while (std::optional<Packet> packet = read_packet(tunnel_.get())) {
			const std::optional<Layout> layout = layout_of(*packet);
			if (!layout)
				continue;
			swap_addresses(*packet, *layout);
			const Microseconds delay =
				delay_of(port_at(*packet, layout->ports), port_at(*packet, layout->ports + 2));
			queue.emplace(Clock::now() + delay, std::move(*packet));
		}
		refused_ += deliver_due(tunnel_.get(), queue);
	}
}

} // namespace oracle
