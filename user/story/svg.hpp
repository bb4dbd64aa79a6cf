// SPDX-License-Identifier: Apache-2.0
// A story as an SVG file for an incident report.
#pragma once

#include "story/story.hpp"

#include <string>

namespace stalesock {

/// One XML document, complete in itself: no script, no font, nothing to load. Follows the reader's light or
/// dark colours where the viewer knows them, and brings its own background.
[[nodiscard]] std::string svg_of(const Story& story);

} // namespace stalesock
