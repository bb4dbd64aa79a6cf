// SPDX-License-Identifier: Apache-2.0
#include "verdict/end_table.hpp"

#include "verdict/finding.hpp"
#include "verdict/table.hpp"

#include <array>

namespace stalesock {

namespace {

using Kind = VerdictKind;

// clang-format off
constexpr std::array table{
	EndRow{.holder = OtherHolder::same_process,
	       .note = "a program's pair of sockets to itself is no pool"},
	EndRow{.farewell = Farewell::said, .says = Kind::farewell_write},

	// Nothing was asked.
	EndRow{.direction = Direction::nothing, .quiet = Quiet::idle, .says = Kind::idle_close},
	EndRow{.direction = Direction::nothing,
	       .note = "closed as soon as it was opened: a health check, a full server"},
	EndRow{.direction = Direction::only_received, .quiet = Quiet::idle, .says = Kind::idle_close},
	EndRow{.direction = Direction::only_received,
	       .note = "a server that only sends ends what it sends with its FIN"},

	// All of the last message was on its way.
	EndRow{.by = EndedBy::fin, .outstanding = Outstanding::all, .use = Use::again, .says = Kind::reuse_race},
	EndRow{.by = EndedBy::fin, .outstanding = Outstanding::all, .use = Use::fresh, .says = Kind::unanswered_close,
	       .note = "that the peer refused the request"},
	EndRow{.by = EndedBy::reset, .outstanding = Outstanding::all, .use = Use::again, .taken = Taken::no,
	       .says = Kind::reuse_race},
	EndRow{.by = EndedBy::reset, .outstanding = {Outstanding::none, Outstanding::part}, .answer = Answer::none,
	       .use = Use::again, .taken = Taken::no, .says = Kind::reuse_race,
	       .note = "that the peer's application had read none of the request"},
	EndRow{.by = EndedBy::reset, .outstanding = Outstanding::all, .taken = {Taken::no, Taken::yes},
	       .says = Kind::unanswered_close, .note = "that the peer refused the request"},

	// A part of it was.
	EndRow{.outstanding = Outstanding::part, .answer = Answer::none, .says = Kind::unanswered_close,
	       .note = "that the rest of the request was still on its way"},
	EndRow{.outstanding = Outstanding::part, .answer = {Answer::early, Answer::yes}, .says = Kind::early_response},

	// The peer had all of it.
	EndRow{.expectation = Expectation::nothing, .answer = Answer::none, .quiet = Quiet::idle, .says = Kind::idle_close},
	EndRow{.expectation = Expectation::nothing, .answer = Answer::none, .quiet = {Quiet::none, Quiet::brief},
	       .note = "a sender whose messages are never answered has lost none"},
	EndRow{.by = EndedBy::fin, .expectation = Expectation::answer, .answer = Answer::none,
	       .says = Kind::unanswered_close},
	EndRow{.by = EndedBy::reset, .expectation = Expectation::answer, .answer = Answer::none,
	       .says = Kind::unanswered_close, .note = "that the peer had read the request before its RST"},
	EndRow{.answer = Answer::early, .quiet = {Quiet::none, Quiet::brief}, .says = Kind::early_response},
	EndRow{.answer = {Answer::early, Answer::yes}, .quiet = Quiet::idle, .says = Kind::idle_close},
	EndRow{.by = EndedBy::fin, .answer = Answer::yes, .quiet = Quiet::none, .says = Kind::limit_close},
	EndRow{.answer = Answer::yes, .quiet = {Quiet::none, Quiet::brief}, .says = Kind::limit_close,
	       .note = "that the close belongs to the answer before it"},
};
// clang-format on

} // namespace

std::span<const EndRow> end_table() {
	return table;
}

const EndRow* find_row(const EndFacts& facts) {
	return first_match(end_table(), facts);
}

Certainty certainty_of(const EndRow& row, const EndFacts& facts) {
	return weigh(row, facts);
}

} // namespace stalesock
