// SPDX-License-Identifier: Apache-2.0
// One connection's life in the order the kernel told it.
#pragma once

#include "model/event.hpp"

#include <string>
#include <vector>

namespace stalesock {

/// One line for each event that says something new, with its time since the first. `events` are all
/// of one socket; `tick` is the length of a jiffy.
[[nodiscard]] std::vector<std::string> tell_story(const std::vector<Event>& events,
                                                  Nanoseconds tick);

} // namespace stalesock
