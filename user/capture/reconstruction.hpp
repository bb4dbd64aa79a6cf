// SPDX-License-Identifier: Apache-2.0
// Captured packets in, the events that the kernels of both ends would have reported out.
#pragma once

#include "capture/conversation.hpp"
#include "capture/packet.hpp"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <utility>

namespace stalesock {

struct CaptureCounters {
	std::uint64_t packets = 0;
	std::uint64_t segments = 0;  ///< TCP, and taken into account
	std::uint64_t other = 0;     ///< not TCP over IP
	std::uint64_t fragments = 0; ///< of IP packets: skipped
	std::uint64_t truncated = 0; ///< cut within the headers: skipped
	std::uint64_t malformed = 0; ///< skipped
	std::uint64_t copies = 0;    ///< of packets that were captured more than once
	std::uint64_t stray = 0;     ///< of no connection: an RST, or what came after the end
	std::uint64_t lost = 0; ///< gaps in what was captured of a connection; complete after finish()
	std::uint64_t translated = 0; ///< ends seen before under another address
	std::uint64_t connections = 0;
	std::uint64_t begun_before = 0; ///< of the connections: open when the capture began
	std::uint64_t evicted = 0;      ///< of the connections: forgotten because the table was full
	/// Where the capture was taken, by connection; complete after finish().
	std::array<std::uint64_t, vantage_count> vantages{};
};

class Reconstruction {
  public:
	/// Connections kept at once, at least 1; when full, the one not heard of for longest is forgotten and
	/// counted. One takes about 1 KiB.
	Reconstruction(std::size_t max_connections, EventHandler handler);

	/// A frame as captured; `wire_length` is its length before the capture cut it. Time since the epoch;
	/// frames may be out of order.
	void take(LinkType type, Octets frame, std::uint32_t wire_length, Nanoseconds time);
	/// Of connections whose application has not closed after the peer's FIN, as `watch` looks for them.
	void scan(Nanoseconds now);
	/// The capture is over.
	void finish();

	[[nodiscard]] const CaptureCounters& counters() const { return counters_; }

  private:
	/// Both endpoints, the smaller first.
	struct Key {
		Endpoint low;
		Endpoint high;

		bool operator==(const Key&) const = default;
		template <typename H> friend H AbslHashValue(H state, const Key& key) {
			return H::combine(std::move(state), key.low.address.bytes, key.low.port,
			                  key.high.address.bytes, key.high.port);
		}
	};
	struct EndpointHash {
		std::size_t operator()(const Endpoint& endpoint) const;
	};
	struct Entry {
		Entry(const Segment& first, std::uint64_t cookie) : conversation(first, cookie) {}

		Conversation conversation;
		bool parked = false; ///< in closed_, not in open_
	};
	using Conversations = std::list<Entry>;
	using Index = absl::flat_hash_map<Key, Conversations::iterator>;

	[[nodiscard]] static Key key_of(const Endpoint& one, const Endpoint& other);
	/// A segment that begins one direction, as one device of several shows it.
	struct Beginning {
		Key key;
		Nanoseconds time{};
		std::optional<TcpTimestamps> timestamps;
	};

	void take(const Segment& segment);
	/// It was sent under other addresses just before: translated on its way through this host.
	[[nodiscard]] bool is_translated(const Key& key, const Segment& segment);
	void take(const Key& key, const Segment& segment, Conversations::iterator entry);
	/// The end of open_ when this segment begins none.
	Conversations::iterator begin(const Key& key, const Segment& segment);
	void refresh(Conversations::iterator entry);
	void settle(Nanoseconds now);
	void drop(Conversations::iterator entry);
	void count(const Conversation& conversation);
	void make_room();
	void drop_closed(Nanoseconds now);
	[[nodiscard]] bool source_is_passive(const Segment& segment) const;
	void note_listener(const Segment& segment);

	std::size_t limit_;
	EventHandler handler_;
	Segment segment_;
	/// In both, the one heard of last is at the end. Closed ones stay for a while: late segments are theirs.
	Conversations open_;
	Conversations closed_;
	Index index_;
	std::deque<std::pair<Nanoseconds, Key>>
		due_; ///< when a connection may have something to settle
	absl::flat_hash_set<Endpoint, EndpointHash> listeners_;
	/// By initial sequence number, of the last second, at most as many as connections; only of captures that show several devices.
	absl::flat_hash_map<std::uint32_t, Beginning> beginnings_;
	std::deque<std::pair<Nanoseconds, std::uint32_t>> ageing_;
	bool several_devices_ = false; ///< the segment comes from the "any" device
	std::uint64_t next_cookie_ = 1;
	CaptureCounters counters_;
};

} // namespace stalesock
