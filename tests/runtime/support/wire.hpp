// SPDX-License-Identifier: Apache-2.0
// A wire whose packets can be held back, so that they cross.
#pragma once

#include "support/descriptor.hpp"
#include "support/sockets.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace runtime {

enum class Towards : std::uint8_t { active, passive };
enum class Handling : std::uint8_t { deliver, hold, drop };

/// A TUN device in our own namespace that sends every packet back with its two addresses swapped:
/// who connects to `far` reaches a listener on `near`, and each end sees the other one at `far`.
/// Checksums stay right, because they are sums.
class Wire {
  public:
	static constexpr const char* near = "10.9.0.1";
	static constexpr const char* far = "10.9.0.2";

	Wire();
	~Wire();
	Wire(const Wire&) = delete;
	Wire& operator=(const Wire&) = delete;

	/// Packets to this port go towards the passive end. Before the first packet.
	void serve(std::uint16_t passive_port);
	void set(Towards direction, Handling handling);
	/// Delivers what was held back, and from now on everything.
	void release(Towards direction);
	/// Discards what was held back.
	void discard(Towards direction);
	/// Waits until so many packets are held back.
	void wait_for_held(Towards direction, std::size_t count);

  private:
	using Packet = std::vector<std::uint8_t>;
	struct Lane {
		Handling handling = Handling::deliver;
		std::deque<Packet> held;
	};

	void carry();
	void handle(Packet packet);
	void deliver(const Packet& packet);
	Lane& lane(Towards direction) { return lanes_[static_cast<std::size_t>(direction)]; }

	Descriptor device_;
	Descriptor stop_;
	std::mutex mutex_;
	std::uint16_t passive_port_ = 0;
	std::array<Lane, 2> lanes_;
	std::thread carrier_;
};

/// A listener behind a wire of its own.
struct WiredListener {
	Wire wire;
	Listener listener{Family::ipv4, Wire::near};

	WiredListener() { wire.serve(listener.port()); }
	[[nodiscard]] Connection open() const { return listener.open(Wire::far); }
	[[nodiscard]] Descriptor connect() const { return listener.connect(Wire::far); }
};

} // namespace runtime
