// SPDX-License-Identifier: Apache-2.0
// Numbers and times as text, appended: a snapshot has a hundred thousand lines.
#pragma once

#include "model/event.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace stalesock {

void append_number(std::string& out, std::uint64_t value);
/// Three digits and a unit: "0ms", "498ms", "2.00s", "59.9s", "3m12s", "2h05m", "4d03h".
void append_duration(std::string& out, Nanoseconds value);
/// Milliseconds to 0.1, as JSON has them: "2002.1", "2002".
void append_milliseconds(std::string& out, Nanoseconds value);
/// As to_string.
void append_endpoint(std::string& out, const Endpoint& endpoint);

/// A JSON string with its quotes: ASCII only, so that text from outside cannot drive a terminal; what is no
/// UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

} // namespace stalesock
