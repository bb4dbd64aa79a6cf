// SPDX-License-Identifier: Apache-2.0
// The inverse of decode: what the kernel would have written for an event.
#pragma once

#include "model/event.hpp"
#include "record/bytes.hpp"

namespace stalesock::test {

/// Short without a view. Heads of payload are left out: `other`.
[[nodiscard]] Bytes raw_record(const Event& event);

} // namespace stalesock::test
