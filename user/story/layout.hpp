// SPDX-License-Identifier: Apache-2.0
// Fitting text into columns. Texts are safe to print (escape_untrusted) and valid UTF-8.
#pragma once

#include "model/event.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

/// The beginning that fits, with `ellipsis` at its end where something was cut off.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns,
                              std::string_view ellipsis);

/// Lines of at most `columns` (at least 1), broken at spaces where there are any. Never empty.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t columns);

/// Each byte that is not ASCII becomes \xNN.
[[nodiscard]] std::string ascii_only(std::string_view text);

/// "+498.03 ms", "-2.002 s", "0": an offset from a story's origin.
[[nodiscard]] std::string offset_text(Nanoseconds offset);

} // namespace stalesock
