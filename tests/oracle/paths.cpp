// SPDX-License-Identifier: Apache-2.0
#include "paths.hpp"

namespace oracle {

void Paths::set(std::uint16_t port, Microseconds delay, const Forgetting& forgetting) {
	Path& path = paths_.at(port);
	path.delay_us = static_cast<std::uint32_t>(delay.count());
	path.forgets_after_us = static_cast<std::uint32_t>(forgetting.after.count());
	path.resets = forgetting.resets;
}

/// No listener has a path of its own.
std::uint16_t Paths::client_port(const RawPacket& packet, const Layout& layout) const {
	const std::uint16_t source = source_port(packet, layout);
	return paths_.at(source).delay_us != 0 ? source : destination_port(packet, layout);
}

/// Once forgotten, always; but a handshake that is slow is none that was forgotten, and its last packet opens nothing.
bool Paths::has_forgotten(std::uint16_t port, bool opens, Clock::time_point now) {
	const Microseconds limit(paths_.at(port).forgets_after_us);
	if (limit == Microseconds::zero())
		return false;
	Memory& memory = memories_.try_emplace(port, Memory{now, false, false}).first->second;
	memory.forgotten |= memory.established && now - memory.last_packet > limit;
	memory.established |= !opens;
	memory.last_packet = now;
	return memory.forgotten;
}

std::optional<Microseconds> Paths::carry(RawPacket& packet, Clock::time_point now) {
	const std::optional<Layout> layout = layout_of(packet);
	if (!layout)
		return std::nullopt;
	const std::uint16_t port = client_port(packet, *layout);
	const Path& path = paths_.at(port);
	if (!has_forgotten(port, opens(packet, *layout), now))
		swap_addresses(packet, *layout);
	else if (path.resets && !is_reset(packet, *layout))
		packet = bare_reset(packet, *layout);
	else
		return std::nullopt;
	return Microseconds(path.delay_us);
}

} // namespace oracle
