// SPDX-License-Identifier: Apache-2.0
#include "verdict/late_table.hpp"

#include "verdict/table.hpp"

#include <array>

namespace stalesock {

namespace {

using Kind = VerdictKind;

constexpr Of<LateBytes> no_goodbye{LateBytes::other, LateBytes::request};

// clang-format off
constexpr std::array table{
	LateRow{.holder = OtherHolder::same_process, .note = "a program's pair of sockets to itself is no pool"},
	LateRow{.begun = Begun::before_fin, .note = "the send began before the FIN, and waited for room"},
	LateRow{.bytes = LateBytes::goodbye, .says = Kind::farewell_write},
	LateRow{.bytes = LateBytes::control, .says = Kind::farewell_write},
	LateRow{.continues = Continues::answered, .says = Kind::early_response},
	LateRow{.continues = Continues::unanswered, .note = "the peer hung up on this message, and that was told"},
	LateRow{.bytes = LateBytes::other, .then = Then::parted, .says = Kind::farewell_write,
	        .note = "that whoever reads the end of file, writes, and closes without reading says goodbye"},
	LateRow{.bytes = no_goodbye, .continues = Continues::nothing, .fate = Fate::refused, .says = Kind::stale_reuse},
	LateRow{.bytes = LateBytes::request, .says = Kind::stale_reuse},
	LateRow{.bytes = no_goodbye, .continues = Continues::nothing, .fate = Fate::taken, .then = Then::waited,
	        .says = Kind::stale_reuse,
	        .note = "that the application expected an answer"},
	LateRow{.fate = Fate::taken, .then = {Then::left, Then::parted, Then::stays},
	        .note = "the peer takes what is sent after its FIN: it has only ended its own sending"},
	LateRow{.bytes = no_goodbye, .continues = Continues::nothing, .fate = Fate::open, .says = Kind::stale_reuse,
	        .note = "that the peer takes nothing after its FIN"},
};
// clang-format on

} // namespace

std::span<const LateRow> late_table() {
	return table;
}

const LateRow* find_row(const LateFacts& facts) {
	return first_match(late_table(), facts);
}

Certainty certainty_of(const LateRow& row, const LateFacts& facts) {
	return weigh(row, facts);
}

} // namespace stalesock
