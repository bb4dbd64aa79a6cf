// SPDX-License-Identifier: Apache-2.0
// Which setting of a program limits how long it keeps an idle connection.
#pragma once

#include <cstdint>
#include <string_view>

namespace stalesock {

/// What a program is made of, where its command name does not tell.
enum class Runtime : std::uint8_t { unknown, go };

/// Of a client, for a command name as far as it tells the program or its runtime; else for the program that the
/// command line begins with, as many programs rename themselves ("gunicorn: worker" of python3); an example for any
/// other. Never empty.
[[nodiscard]] std::string_view pool_setting(std::string_view command,
                                            Runtime runtime = Runtime::unknown,
                                            std::string_view command_line = {});

/// Of a server, for its clients. Never empty.
[[nodiscard]] std::string_view server_setting(std::string_view command,
                                              Runtime runtime = Runtime::unknown);

} // namespace stalesock
