// SPDX-License-Identifier: Apache-2.0
// UTF-8 one character at a time, and what a terminal makes of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace stalesock {

struct Character {
	char32_t value = 0;
	std::size_t length = 0; ///< bytes; 0: not valid UTF-8 (RFC 3629)
};

/// `text` must not be empty.
[[nodiscard]] Character first_character(std::string_view text);

/// Columns of a terminal: 2 for wide characters (Unicode's East Asian Width), 0 for combining ones. Of valid
/// UTF-8 without control characters; see escape_untrusted.
[[nodiscard]] std::size_t columns_of(std::string_view text);

} // namespace stalesock
