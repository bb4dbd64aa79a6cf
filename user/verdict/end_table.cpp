// SPDX-License-Identifier: Apache-2.0
#include "verdict/end_table.hpp"

#include "verdict/finding.hpp"

#include <algorithm>
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

bool matches(const EndRow& row, const EndFacts& facts) {
	return row.by.matches(facts.by) && row.holder.matches(facts.holder.value) &&
	       row.farewell.matches(facts.farewell.value) && row.direction.matches(facts.direction) &&
	       row.expectation.matches(facts.expectation.value) &&
	       row.outstanding.matches(facts.outstanding.value) &&
	       row.answer.matches(facts.answer.value) && row.use.matches(facts.use.value) &&
	       row.quiet.matches(facts.quiet.value) && row.taken.matches(facts.taken.value);
}

} // namespace

std::span<const EndRow> end_table() {
	return table;
}

const EndRow* find_row(const EndFacts& facts) {
	const auto* const row = std::find_if(table.begin(), table.end(), [&](const EndRow& candidate) {
		return matches(candidate, facts);
	});
	return row == table.end() ? nullptr : row;
}

Certainty certainty_of(const EndRow& row, const EndFacts& facts) {
	Weigher weigher;
	weigher.read(row.holder, facts.holder);
	weigher.read(row.farewell, facts.farewell);
	weigher.read(row.expectation, facts.expectation);
	weigher.read(row.outstanding, facts.outstanding);
	weigher.read(row.answer, facts.answer);
	weigher.read(row.use, facts.use);
	weigher.read(row.quiet, facts.quiet);
	weigher.read(row.taken, facts.taken);
	if (row.says && !row.note.empty()) {
		weigher.add(Confidence::likely, row.note);
	}
	return weigher.take();
}

} // namespace stalesock
