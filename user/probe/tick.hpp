// SPDX-License-Identifier: Apache-2.0
// The length of one jiffy. HZ is not readable everywhere, so it is measured.
#pragma once

#include "model/event.hpp"
#include "probe/skeleton.hpp"

namespace stalesock {

/// Takes about 50 ms. Snaps to the HZ values Linux is built with (100, 250, 300, 1000) when within 3 %.
/// Throws KernelRefusal when the program that reads the clocks cannot be run.
[[nodiscard]] Nanoseconds measure_tick(const stalesock_bpf& skeleton);

} // namespace stalesock
