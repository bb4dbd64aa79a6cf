// SPDX-License-Identifier: Apache-2.0
// What a payload begins with, by the rules of include/stalesock/heads.h. Nothing of it is kept.
#pragma once

#include "capture/octets.hpp"
#include "model/event.hpp"

#include <cstdint>

namespace stalesock {

struct HeadClass {
	PayloadHead head = PayloadHead::unknown;
	std::uint16_t record_length = 0; ///< for TLS
	bool control_sized = false;      ///< as in LateWrite, or several such records
	bool announces_body = false;     ///< a request of HTTP that has a body, or may
};

/// `captured` is what the capture kept of `length` bytes of payload. Unknown when fewer than five bytes were
/// kept of a longer payload.
[[nodiscard]] HeadClass classify_head(Octets captured, std::uint32_t length);

} // namespace stalesock
