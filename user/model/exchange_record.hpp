// SPDX-License-Identifier: Apache-2.0
// The exchange of one end, kept as bpf/exchange.bpf.h keeps it: for captures, of which nobody kept one.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <optional>

namespace stalesock {

/// Silence of so long separates two messages, or an answer from what is said after it.
inline constexpr Nanoseconds shortest_pause = std::chrono::milliseconds(100);

class ExchangeRecord {
  public:
	/// The numbers of the socket when something happens to it.
	struct Numbers {
		std::uint32_t write_seq = 0;
		std::uint32_t rcv_nxt = 0; ///< without the peer's FIN
		std::uint32_t copied_seq = 0;
		Nanoseconds last_send{};    ///< of payload
		Nanoseconds last_receive{}; ///< likewise
	};

	/// Before the first message; nothing was sent or received yet, as far as is known.
	void begin(const Numbers& numbers);
	/// A send begins; it is not counted in the numbers yet.
	void note_send(const Numbers& numbers, Nanoseconds now, std::int32_t pid = 0);
	/// The application has read.
	void note_receive(const Numbers& numbers);
	/// The record begins at a receive: what was read by it may be the peer's last words, no longer than `pause` after what
	/// was read before.
	void note_last_words(std::uint32_t words_seq, Nanoseconds pause);

	/// As a view of this moment shows it, in ticks of that length.
	[[nodiscard]] Exchange view(Nanoseconds now, Nanoseconds tick) const;

  private:
	Exchange record_;
	Nanoseconds turn_began_{};
	Nanoseconds read_arrived_{};
	Nanoseconds pause_{};
};

} // namespace stalesock
