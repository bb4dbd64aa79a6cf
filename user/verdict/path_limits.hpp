// SPDX-License-Identifier: Apache-2.0
// Idle limits of well-known network devices that forget connections without a word.
#pragma once

#include "model/event.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace stalesock {

struct PathLimit {
	Nanoseconds idle{};
	std::string_view devices; ///< whose default it is
};

/// The longest known limit that explains a connection forgotten within `dropped_after` of silence. None is named for
/// a silence more than twice as long: too many others would fit as well.
[[nodiscard]] std::optional<PathLimit> known_path_limit(Nanoseconds dropped_after);

} // namespace stalesock
