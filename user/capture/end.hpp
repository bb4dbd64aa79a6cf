// SPDX-License-Identifier: Apache-2.0
// One end of a connection on the wire, as its kernel would have reported it: segments in, events out.
#pragma once

#include "capture/counters.hpp"
#include "capture/segment.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace stalesock {

/// The event is good until it returns.
using EventHandler = std::function<void(const Event&)>;

/// How far the capture was taken from an end.
class Distance {
  public:
	/// The end sent something at once in reply to what it was sent: there and back.
	void sample(Nanoseconds reply);
	/// Nothing replied yet.
	[[nodiscard]] bool known() const { return there_and_back_.has_value(); }
	/// Closer than a packet takes to leave a host, however busy.
	[[nodiscard]] bool is_here() const;
	/// One way; 0 when it is here or not known.
	[[nodiscard]] Nanoseconds one_way() const;

  private:
	std::optional<Nanoseconds> there_and_back_;
};

class End {
  public:
	struct Identity {
		std::uint64_t cookie = 0;
		Endpoint local;
		Endpoint remote;
	};

	/// The three-way handshake, each at its own end; `at` is when the capture saw the segment.
	void send_syn(const Identity& self, const Segment& segment, const EventHandler& handler);
	void receive_syn(const Segment& segment);
	void send_syn_ack(const Segment& segment);
	void receive_syn_ack(const Segment& segment);

	/// A connection that was open before the capture; its first segment is ours or the peer's.
	void begin_amid(const Identity& self, const Segment& segment, bool ours, bool passive,
	                const EventHandler& handler);

	/// This end sent a segment (no SYN), or was sent one.
	void sent(const Identity& self, const Segment& segment, const EventHandler& handler);
	void received(const Identity& self, const Segment& segment, const EventHandler& handler);

	/// The peer's RST is under way to an end that is not here: what that sends meanwhile it sends unaware.
	[[nodiscard]] bool reset_pending() const { return pending_reset_ != nullptr; }
	[[nodiscard]] Nanoseconds reset_due() const;
	/// Time has passed.
	void settle(const Identity& self, Nanoseconds now, const EventHandler& handler);

	/// Nothing more will be seen of it: what is sure to have come has come.
	void finish(const Identity& self, const EventHandler& handler);
	/// The same, and another connection takes its place.
	void forget(const Identity& self, Nanoseconds time, const EventHandler& handler);

	/// As a look over all sockets would find it.
	void scan(const Identity& self, Nanoseconds now, const EventHandler& handler) const;

	[[nodiscard]] bool closed() const { return state_ == TcpState::close; }
	/// How often what it acknowledged shows that the capture lacks segments.
	[[nodiscard]] std::uint64_t lost() const { return lost_; }
	[[nodiscard]] TcpState state() const { return state_; }
	/// The first number it sent after its SYN.
	[[nodiscard]] std::uint32_t first_number() const { return first_number_; }

	Distance distance;

	/// The capture's clock was set: replies to segments before that are not measured.
	void forget_times();

  private:
	/// The peer's FIN was seen on its way; it has come once we acknowledge it.
	struct PendingFin {
		Counters counters; ///< as of its arrival, with what we sent since without knowing of it
		Nanoseconds time{};
		std::uint32_t number = 0;
		bool in_order = false;    ///< nothing before it is missing
		bool was_waiting = false; ///< something was not acknowledged just before it
	};
	struct Late {
		LateWrite write;
		std::uint32_t write_seq_at_fin = 0;
		bool was_waiting = false;
	};

	[[nodiscard]] Nanoseconds sent_at(Nanoseconds time) const { return time - distance.one_way(); }
	[[nodiscard]] Nanoseconds received_at(Nanoseconds time) const {
		return time + distance.one_way();
	}
	[[nodiscard]] Event event(const Identity& self, EventKind kind, Nanoseconds time) const;
	void add_view(Event& event, const Counters& counters) const;
	void add_late(Event& event) const;
	void move_to(TcpState state, Event& event);

	void measure_handshake(Nanoseconds time);
	void establish(const Identity& self, Nanoseconds time, const EventHandler& handler);
	void take_proof(const Identity& self, const Segment& segment, const EventHandler& handler);
	void transmit(const Segment& segment, Nanoseconds time);
	void commit_fin(const Identity& self, const EventHandler& handler);
	void tell_resent(const EventHandler& handler);
	bool send_probe(const Identity& self, const Segment& segment, const EventHandler& handler);
	void send_payload(const Identity& self, const Segment& segment, const EventHandler& handler);
	void send_again(const Identity& self, const Segment& segment, const EventHandler& handler);
	[[nodiscard]] bool begins_message(const Segment& segment, Nanoseconds time) const;
	void begin_message(const Segment& segment, Nanoseconds time);
	void say_farewell(const Identity& self, const Segment& segment, Nanoseconds time,
	                  const EventHandler& handler);
	void write_late(const Identity& self, const Segment& segment, Nanoseconds time,
	                const EventHandler& handler);
	void begin_late(const Segment& segment, Nanoseconds time);
	void send_fin(const Identity& self, const Segment& segment, const EventHandler& handler);
	void send_reset(const Identity& self, const Segment& segment, const EventHandler& handler);
	void receive_acknowledgement(const Identity& self, const Segment& segment,
	                             const EventHandler& handler);
	void receive_payload(const Segment& segment);
	void receive_fin(const Identity& self, const Segment& segment, bool was_waiting,
	                 const EventHandler& handler);
	void receive_reset(const Identity& self, const Segment& segment, const EventHandler& handler);
	void commit_reset(const Identity& self, Nanoseconds time, const EventHandler& handler);
	void note_stamp(const Segment& segment, Nanoseconds time);
	void note_echo(const Segment& segment);

	Counters counters_;
	TcpState state_ = TcpState::close;
	bool passive_ = false;
	bool role_seen_ = false; ///< the handshake was
	bool fin_received_ = false;
	bool peer_window_closed_ = false;
	bool bare_reset_ = false; ///< without timestamps, on a connection that uses them
	bool probed_ = false;     ///< keeps alive: a probe was sent
	bool has_body_ = false;   ///< its last request of HTTP has, or may have
	bool sends_seen_ = false; ///< the first bytes of what was sent last were captured
	std::uint32_t first_number_ = 0;
	std::uint32_t own_fin_ = 0;                 ///< its number, once sent
	std::optional<std::uint32_t> reset_number_; ///< what the peer's RST acknowledges
	std::uint32_t hole_begin_ = 0; ///< of what we sent, this much was not captured in order
	std::uint32_t hole_end_ = 0;
	std::uint32_t stamp_offset_ = 0; ///< from the clock of the view to that of our timestamps
	enum class StampClock : std::uint8_t { unknown, milliseconds, other };
	StampClock stamp_clock_ = StampClock::unknown;
	Nanoseconds syn_time_{};        ///< until the handshake is measured
	Nanoseconds reply_due_since_{}; ///< payload or a FIN came then that we have not acknowledged
	std::unique_ptr<PendingFin> pending_fin_;
	/// We acknowledged one number more than was captured: a byte that the capture lost, or a FIN that it shows after its ACK.
	bool acknowledged_unseen_ = false;
	std::uint64_t lost_ = 0;
	/// A flight went out again: nobody may ever take it.
	std::unique_ptr<Event> resent_;
	std::unique_ptr<Nanoseconds> pending_reset_; ///< when it was seen
	std::unique_ptr<Late> late_;
};

} // namespace stalesock
