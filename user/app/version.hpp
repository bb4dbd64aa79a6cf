// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#ifndef STALESOCK_VERSION
#define STALESOCK_VERSION "0.1.0"
#endif

namespace stalesock {

inline constexpr std::string_view version = STALESOCK_VERSION;

} // namespace stalesock
