// SPDX-License-Identifier: Apache-2.0
// The counters and clocks that the kernel of one end must have had, reckoned from the segments it sent and was
// sent: the source of a SocketView. Each function is named for what happened at that end.
#pragma once

#include "capture/segment.hpp"
#include "model/exchange_record.hpp"

#include <array>
#include <cstdint>

namespace stalesock {

/// Ages are given in these: fine enough to order a response and the next request on loopback, and 12 hours
/// fit into a SocketView.
inline constexpr Nanoseconds capture_tick = std::chrono::microseconds(10);

class Counters {
  public:
	/// Our first segment was seen: a SYN, or in the middle of a connection.
	void begin_sending(std::uint32_t next, Nanoseconds now);
	void begin_receiving(std::uint32_t next, Nanoseconds now);
	/// The handshake is complete.
	void establish(Nanoseconds now);
	/// One measurement of the round-trip time.
	void sample_round_trip(Nanoseconds sample);
	/// Segments that are out now give no round trip.
	void forget_times();
	/// Bytes came and went before the capture began.
	void set_partial() { partial_ = true; }

	/// What was acknowledged shows that the capture lacks segments.
	void note_loss() { lossy_ = true; }

	/// New payload up to `end` left us.
	void send(std::uint32_t end, Nanoseconds now);
	/// Payload that had been sent before, or was taken for lost.
	void send_again(std::uint32_t end, Nanoseconds now);
	/// Any segment left us; with it we acknowledged this. Call it after the one for its payload.
	void transmit(std::uint32_t acknowledgement, Nanoseconds now);
	/// The application has read everything that we had acknowledged by then.
	void read_up_to(std::uint32_t acknowledgement);

	/// An acknowledgement came.
	void acknowledged(std::uint32_t acknowledgement, bool selective, Nanoseconds now);
	/// Payload came that had not come before, up to `end`, without a gap.
	void receive(std::uint32_t end, Nanoseconds now);
	/// The peer's FIN came: it takes one number.
	void receive_fin() { rcv_nxt_++; }

	[[nodiscard]] SocketView view(Nanoseconds now) const;

	[[nodiscard]] std::uint32_t write_seq() const { return write_seq_; }
	[[nodiscard]] std::uint32_t rcv_nxt() const { return rcv_nxt_; }
	[[nodiscard]] std::uint32_t copied_seq() const { return copied_seq_; }
	[[nodiscard]] bool all_acknowledged() const { return snd_una_ == write_seq_; }
	/// Nothing of what is out was acknowledged, and there is something; as flight_untouched() of a view.
	[[nodiscard]] bool flight_untouched() const;
	[[nodiscard]] bool is_partial() const { return partial_; }
	[[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }
	[[nodiscard]] Nanoseconds last_send() const { return last_send_; }
	[[nodiscard]] Nanoseconds last_receive() const { return last_receive_; }
	[[nodiscard]] Nanoseconds last_progress() const { return last_progress_; }
	/// Everything we had sent was acknowledged when payload came last: a turn was complete.
	[[nodiscard]] bool turn_complete() const { return turn_complete_; }

	std::uint8_t probes_out = 0; ///< keepalive probes unanswered so far
	std::uint32_t echoed_ms = 0; ///< on the clock of the view; 0: not known

  private:
	/// The end of what was sent by then, for what is not acknowledged yet. When there are too many, two of the
	/// latest become one.
	struct Sent {
		std::uint32_t end = 0;
		bool again = false;
		Nanoseconds time{};
	};

	void note_sent(std::uint32_t end, bool again, Nanoseconds now);
	[[nodiscard]] ExchangeRecord::Numbers numbers() const;

	ExchangeRecord exchange_;
	bool exchange_begun_ =
		false; ///< something was sent since the capture began: from then on it is known
	std::array<Sent, 6> out_;
	std::uint8_t out_count_ = 0;
	bool partial_ = false;
	bool turn_complete_ = false;
	std::uint32_t write_seq_ = 0;
	std::uint32_t snd_una_ = 0;
	std::uint32_t rcv_nxt_ = 0;
	std::uint32_t copied_seq_ = 0;
	std::uint32_t rcv_wup_ = 0;
	std::uint32_t retransmits_ = 0;
	bool lossy_ = false;
	std::uint64_t bytes_sent_ = 0;
	std::uint64_t bytes_received_ = 0;
	Nanoseconds first_tx_{};
	Nanoseconds delivered_{};
	Nanoseconds delivered_tx_{};
	Nanoseconds last_tx_{};
	Nanoseconds last_send_{};
	Nanoseconds last_receive_{};
	Nanoseconds last_ack_{};
	Nanoseconds last_progress_{}; ///< when an acknowledgement last moved
	Nanoseconds smoothed_round_trip_{};
};

} // namespace stalesock
