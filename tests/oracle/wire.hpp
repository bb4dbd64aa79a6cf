// SPDX-License-Identifier: Apache-2.0
// What the test's connections say to each other, and what a packet's first bytes say about it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace oracle {

/// The first bytes of a write. Everything behind them is filler, which no message begins with.
enum class Head : std::uint8_t {
	request,     ///< "GET /"
	response,    ///< "HTTP/"
	more,        ///< filler only: the message goes on
	tls_request, ///< 17 03 03 and the length: 56 bytes or more
	tls_notify,  ///< TLS 1.3 close_notify: 17 03 03 00 13 and 19 bytes
	tls_alert,   ///< TLS 1.2 close_notify: 15 03 03 00 1a and 26 bytes
	goodbye,     ///< "QUIT"
};

/// The bytes of one write. Parting words have a size of their own.
[[nodiscard]] std::string bytes_of(Head head, std::size_t size);
[[nodiscard]] std::size_t size_of(Head head, std::size_t size);

/// As many first bytes of a segment's payload as the capture keeps.
struct CapturedHead {
	std::array<std::uint8_t, 5> bytes{};
	std::uint8_t length = 0;
};

enum class Speech : std::uint8_t { message, continuation, farewell };

/// What a segment begins with, by the same bytes that a person would look at in a capture.
[[nodiscard]] Speech speech_of(const CapturedHead& head);

/// A request of HTTP in the clear, which nothing else begins like.
[[nodiscard]] bool names_a_method(const CapturedHead& head);

} // namespace oracle
