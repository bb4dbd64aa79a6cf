// SPDX-License-Identifier: Apache-2.0
// What is known of the exchange when the peer ends a connection that we opened: computed once, read by the table.
#pragma once

#include "track/exchange.hpp"
#include "track/reading.hpp"
#include "verdict/fact.hpp"

#include <optional>

namespace stalesock {

/// How the peer ended it.
enum class EndedBy : std::uint8_t { fin, reset };

/// Who is at the other end.
enum class OtherHolder : std::uint8_t { other, same_process };

/// Whether we had said goodbye before.
enum class Farewell : std::uint8_t { none, said };

/// What went which way since the connection was opened.
enum class Direction : std::uint8_t { nothing, only_received, only_sent, both };

/// How often our messages are answered: a sender of one direction expects nothing.
enum class Expectation : std::uint8_t { answer, nothing };

/// Whether our last message was the first one on a connection opened for it.
enum class Use : std::uint8_t { fresh, again };

/// How long nothing had been said when the peer ended it; its last words do not count.
enum class Quiet : std::uint8_t {
	none,  ///< up to response_and_fin: the end comes with what was said
	brief, ///< up to idle_threshold: no idle timeout is so short, and a response and its FIN are not so far apart
	idle,
};

/// Of an RST while nothing of our message was acknowledged: did the peer's application have it?
enum class Taken : std::uint8_t { no, yes };

struct EndFacts {
	EndedBy by = EndedBy::fin;
	Fact<OtherHolder> holder;
	Fact<Farewell> farewell;
	Direction direction = Direction::nothing;
	Fact<Expectation> expectation;
	Fact<Outstanding> outstanding;
	Fact<Answer> answer;
	Fact<Use> use;
	Fact<Quiet> quiet;
	Fact<Taken> taken;

	bool observed = false;               ///< hooks saw the exchange
	Nanoseconds idle{};                  ///< how long it was quiet
	std::optional<LastWords> last_words; ///< those that `quiet` does not count
};

struct Situation;

/// The event is the peer's FIN or RST in ESTABLISHED, with a view.
[[nodiscard]] EndFacts end_facts(const Situation& situation);

} // namespace stalesock
