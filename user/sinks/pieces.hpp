// SPDX-License-Identifier: Apache-2.0
// A long text made by two threads and written in order, in bounded memory.
#pragma once

#include "model/helper.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace stalesock {

/// Takes a piece of output, in order; false: nobody reads any more, stop.
using Output = std::function<bool(std::string_view)>;

/// Makes piece 0 to count - 1, each into a string that may hold an older one, and writes them in order. `make` is
/// called by this thread and the helper at once, for different pieces. At most eight pieces exist at a time, and their memory is
/// used again. False when the output has taken no more.
[[nodiscard]] bool
write_pieces(std::size_t count,
             const std::function<void(std::string& text, std::size_t piece)>& make,
             const Output& output, Helper& helper);

} // namespace stalesock
