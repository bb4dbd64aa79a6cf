// SPDX-License-Identifier: Apache-2.0
// What is known of bytes that were written after the peer's FIN, on a connection that we opened: computed once, when
// enough has happened since, and read by the table.
#pragma once

#include "verdict/end_facts.hpp"
#include "verdict/fact.hpp"

#include <cstdint>

namespace stalesock {

struct Situation;

/// What was written, as far as its first bytes or its length tell.
enum class LateBytes : std::uint8_t {
	other,
	request, ///< a new one begins: the method of HTTP
	goodbye, ///< a TLS alert, a protocol's goodbye
	control, ///< flow control of HTTP/2
};

/// When the send began, of which they are the first late bytes.
enum class Begun : std::uint8_t { after_fin, before_fin };

/// Whether they are the rest of a message that the peer had ended.
enum class Continues : std::uint8_t {
	nothing,
	answered,   ///< the answer was there before its end
	unanswered, ///< the peer hung up on it
};

/// What became of them.
enum class Fate : std::uint8_t {
	refused, ///< an RST came, or nobody acknowledged them
	taken,   ///< the peer acknowledged them, and sent no RST
	open,    ///< neither, so far
};

/// What the application did next.
enum class Then : std::uint8_t {
	waited, ///< it read
	parted, ///< it had read the end of file before, and closed at once without another read
	left,   ///< it closed without another read
	stays,  ///< it neither reads nor closes
};

struct LateFacts {
	Fact<OtherHolder> holder;
	Fact<Begun> begun;
	Fact<LateBytes> bytes;
	Fact<Continues> continues;
	Fact<Fate> fate;
	Fact<Then> then;
};

/// The connection has a late write.
[[nodiscard]] LateFacts late_facts(const Situation& situation);

/// What nobody has answered or acknowledged after this time was sent again (RFC 6298: an RTO of a second at first, less
/// once the round trip was measured), and an application that says goodbye has closed.
inline constexpr Nanoseconds late_write_is_old = std::chrono::seconds(2);

/// Nothing has happened yet that says what became of the late write, or what its writer does next.
[[nodiscard]] bool late_write_is_open(const Situation& situation);

} // namespace stalesock
