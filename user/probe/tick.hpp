// SPDX-License-Identifier: Apache-2.0
// The length of one jiffy. HZ is not readable everywhere, so it is measured.
#pragma once

#include "model/event.hpp"

struct stalesock_bpf;

namespace stalesock {

/// The nearest length that a HZ value Linux is built with (100, 250, 300, 1000) gives, when within 8 %.
[[nodiscard]] Nanoseconds snap_tick(double nanoseconds);

/// Measures it and snaps. Takes about 0.2 s. Throws KernelRefusal when the program that reads the clocks cannot be run.
[[nodiscard]] Nanoseconds measure_tick(const stalesock_bpf& skeleton);

} // namespace stalesock
