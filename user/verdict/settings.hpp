// SPDX-License-Identifier: Apache-2.0
// Which setting of a client program limits how long it keeps an idle connection.
#pragma once

#include <string_view>

namespace stalesock {

/// For a command name, as far as it tells the program or its runtime; for any other an example from a
/// language whose programs cannot be told by their command name. Never empty.
[[nodiscard]] std::string_view pool_setting(std::string_view command);

} // namespace stalesock
