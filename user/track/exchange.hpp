// SPDX-License-Identifier: Apache-2.0
// What was asked and answered on a connection, as hooks saw it. Pure functions of the record that the kernel side keeps
// (struct stalesock_exchange), or of its absence.
#pragma once

#include "track/connection.hpp"
#include "track/reading.hpp"

#include <cstdint>
#include <optional>

namespace stalesock {

/// How much of our last message the peer has not acknowledged.
enum class Outstanding : std::uint8_t { none, part, all };

/// What came since our last message (turn) began.
enum class Answer : std::uint8_t {
	none,
	early, ///< all of it before the last send of that message began
	yes,
};

/// What the peer said last, after a pause, once its answer had come.
struct LastWords {
	std::uint32_t bytes = 0;
	Nanoseconds pause{}; ///< before they came, to the tick
	Nanoseconds age{};   ///< since they came, to the tick
	bool unread = false;
	bool in_stream = false; ///< the peer had paused before, since our last send
	Nanoseconds think{};    ///< from our message to the end of the answer before them, to the tick
};

/// The exchange at the moment of a view; exact.
struct ObservedExchange {
	Outstanding outstanding = Outstanding::none;
	Answer answer = Answer::none;
	std::uint32_t began_at = 0; ///< sequence number of the last message's first byte
	bool first = false;         ///< the last message is the connection's first
	bool answer_read = false;   ///< the application has read something since its last send began
	std::uint32_t lone_messages =
		0; ///< of ours, in a row, before each of which nothing had come since the one before
	std::optional<LastWords> last_words;
	bool one_way = false; ///< several messages were taken, and none was answered
};

/// Nothing where hooks have not seen enough: the socket existed before, and has sent nothing since; or no hook sees what is
/// sent or received. Only for active openers.
[[nodiscard]] std::optional<ObservedExchange> observed_exchange(const Connection& connection,
                                                                const Reading& reading);

/// Of a passive opener: the peer has asked for something that was not answered yet. Exact with a record; without one,
/// by counters.
[[nodiscard]] bool request_pending(const Reading& reading);

} // namespace stalesock
