// SPDX-License-Identifier: Apache-2.0
// Makes text from outside (command names, unit names, command lines) safe for a terminal or a log.
#pragma once

#include <string>
#include <string_view>

namespace stalesock {

/// Replaces each byte of a control character (C0, DEL, C1), of a bidirectional override and of
/// invalid UTF-8 by \xNN. All other text stays as it is, so escaping twice changes nothing.
[[nodiscard]] std::string escape_untrusted(std::string_view text);

} // namespace stalesock
