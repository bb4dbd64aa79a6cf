// SPDX-License-Identifier: Apache-2.0
// From a ring buffer record to an Event. Nothing is read before length, size and kind agree.
#pragma once

#include "model/event.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace stalesock {

enum class DecodeStatus : std::uint8_t {
	ok,
	short_record,     ///< fewer bytes than its kind needs
	oversized_record, ///< more bytes than its kind has
	unknown_kind,
	bad_field, ///< a family or a state that TCP does not have
};

/// Fills `event` entirely when ok, and leaves it unspecified otherwise. The record need not be
/// aligned.
[[nodiscard]] DecodeStatus decode(std::span<const std::byte> record, Event& event);

} // namespace stalesock
