// SPDX-License-Identifier: Apache-2.0
// A connection on the wire, segment by segment, and what is concluded from it.
#pragma once

#include "capture/reconstruction.hpp"
#include "support/packets.hpp"
#include "verdict/engine.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace stalesock::test {

inline constexpr Nanoseconds wire_start = std::chrono::hours(24 * 365 * 56);

/// Reconstructs, and judges.
class WireTap {
  public:
	explicit WireTap(std::size_t max_connections = 1000)
		: engine_({1000, capture_tick, 1000}),
		  reconstruction_(max_connections, [this](const Event& event) {
			  events.push_back(event);
			  engine_.apply(event, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
		  }) {}

	void take(const Frame& packet, Nanoseconds time) {
		Frame frame;
		if (any_device) {
			frame = {0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00};
		}
		put(frame, packet);
		reconstruction_.take(any_device ? LinkType::linux_sll : LinkType::raw, frame,
		                     static_cast<std::uint32_t>(frame.size()), wire_start + time);
		last_ = wire_start + time;
	}
	void finish() {
		reconstruction_.finish();
		engine_.finish(last_, [this](const Verdict& verdict) { verdicts.push_back(verdict); });
	}
	[[nodiscard]] std::vector<std::string> kinds() const {
		std::vector<std::string> names;
		for (const Verdict& verdict : verdicts) {
			names.emplace_back(to_string(verdict.kind));
		}
		return names;
	}
	[[nodiscard]] std::size_t count(EventKind kind) const {
		std::size_t count = 0;
		for (const Event& event : events) {
			count += event.kind == kind ? 1 : 0;
		}
		return count;
	}
	[[nodiscard]] const CaptureCounters& counters() const { return reconstruction_.counters(); }

	std::vector<Event> events;
	std::vector<Verdict> verdicts;
	bool any_device = false; ///< captured with `-i any`

  private:
	Engine engine_;
	Reconstruction reconstruction_;
	Nanoseconds last_{};
};

/// Client 10.0.0.1:40000, server 10.0.0.7:8080. Sequence numbers wrap early; those given are relative to them.
class Talk {
  public:
	using Time = std::chrono::microseconds;

	explicit Talk(WireTap& tap, std::uint16_t client_port = 40000)
		: tap_(tap), client_port_(client_port) {}

	Time now{};             ///< of the next segment
	Time answer_after{300}; ///< the server's, in a turn
	Time reply_after{20};   ///< the client acknowledges so much later
	bool keep_payload = true;
	std::uint16_t server_port = 8080;
	/// Each packet is captured again so much later, on its way out under other addresses.
	std::optional<Time> translated_after;

	/// SYN, SYN and ACK, ACK, this far apart: what the capture sees of the path on either side.
	void open(Time to_server = Time(20), Time to_client = Time(20)) {
		client({}, 0, 0, tcp_syn);
		now += to_server;
		server({}, 0, 1, tcp_syn | tcp_ack);
		now += to_client;
		client({}, 1, 1);
	}
	void client(const std::string& payload, std::uint32_t sequence, std::uint32_t acknowledgement,
	            unsigned flags = tcp_ack) {
		send(true, payload, sequence, acknowledgement, flags);
	}
	void server(const std::string& payload, std::uint32_t sequence, std::uint32_t acknowledgement,
	            unsigned flags = tcp_ack) {
		send(false, payload, sequence, acknowledgement, flags);
	}
	/// A request of 5 bytes from `client`, answered by 5 from `server`, acknowledged.
	void turn(std::uint32_t client_next, std::uint32_t server_next) {
		client("GET /", client_next, server_next);
		now += answer_after;
		server("HTTP/", server_next, client_next + 5);
		now += reply_after;
		client({}, client_next + 5, server_next + 5);
	}
	/// The last segment once more, as another device or the network shows it.
	void repeat(bool same_packet) { tap_.take(bytes(same_packet ? number_ : ++number_), now); }

	std::uint16_t window = 502;

  private:
	void send(bool from_client, const std::string& payload, std::uint32_t sequence,
	          std::uint32_t acknowledgement, unsigned flags) {
		constexpr std::uint32_t client_first = 0xfffffff0;
		constexpr std::uint32_t server_first = 0x7ffffffc;
		from_client_ = from_client;
		packet_ = {};
		packet_.source = from_client ? client_port_ : server_port;
		packet_.destination = from_client ? server_port : client_port_;
		packet_.sequence = (from_client ? client_first : server_first) + sequence;
		packet_.acknowledgement = (from_client ? server_first : client_first) + acknowledgement;
		packet_.flags = flags;
		packet_.window = window;
		packet_.length = payload.size();
		packet_.payload = keep_payload ? payload : "";
		tap_.take(bytes(++number_), now);
		if (translated_after) {
			tap_.take(bytes(number_, true), now + *translated_after);
		}
	}
	[[nodiscard]] Frame bytes(unsigned number, bool translated = false) const {
		Ipv4 ip;
		if (translated) {
			ip.source[2] = ip.destination[2] = 9;
		}
		ip.identification = number;
		if (!from_client_) {
			std::swap(ip.source, ip.destination);
		}
		return ipv4_bytes(packet_, ip);
	}

	WireTap& tap_;
	std::uint16_t client_port_;
	bool from_client_ = true;
	unsigned number_ = 0;
	TcpPacket packet_;
};

} // namespace stalesock::test
