// SPDX-License-Identifier: Apache-2.0
#include "relay.hpp"

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

/// Packets due at the same time keep their order.
using Queue = std::multimap<Clock::time_point, RawPacket>;

constexpr std::size_t largest_packet = 65'536;
constexpr std::chrono::milliseconds longest_wait{50}; ///< also how long stopping takes

std::optional<RawPacket> read_packet(int tunnel) {
	static thread_local std::array<std::uint8_t, largest_packet> buffer;
	const ssize_t size = ::read(tunnel, buffer.data(), buffer.size());
	if (size <= 0)
		return std::nullopt;
	return RawPacket(buffer.begin(), buffer.begin() + size);
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
		const RawPacket& packet = queue.begin()->second;
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

void Relay::set_path(std::uint16_t port, Microseconds delay, const Forgetting& forgetting) {
	paths_.set(port, delay, forgetting);
}

void Relay::run(const std::stop_token& stop) {
	Queue queue;
	while (!stop.stop_requested()) {
		wait_for_packet(tunnel_.get(), queue);
		while (std::optional<RawPacket> packet = read_packet(tunnel_.get())) {
			const Clock::time_point now = Clock::now();
			if (const auto delay = paths_.carry(*packet, now))
				queue.emplace(now + *delay, std::move(*packet));
		}
		refused_ += deliver_due(tunnel_.get(), queue);
	}
}

} // namespace oracle
