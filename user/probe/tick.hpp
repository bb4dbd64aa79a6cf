// SPDX-License-Identifier: Apache-2.0
// The length of one jiffy. HZ is not readable everywhere, so it is measured.
#pragma once

#include "model/event.hpp"

struct stalesock_bpf;

namespace stalesock {

/// The nearest length that a HZ value Linux is built with (100, 250, 300, 1000) gives, when within 8 %.
[[nodiscard]] Nanoseconds snap_tick(double nanoseconds);

/// The same without waiting, from the number of jiffies and CLOCK_MONOTONIC at one moment: jiffies begin at
/// -300 s of them (INITIAL_JIFFIES, linux/jiffies.h), as an unsigned 32-bit number. Zero when no such HZ fits to 2 s
/// and 1 %, or more than one does, as 300 s after boot.
[[nodiscard]] Nanoseconds tick_since_boot(std::uint64_t jiffies, Nanoseconds monotonic);

/// Measures it and snaps. Takes about 0.2 s. Throws KernelRefusal when the program that reads the clocks cannot be run.
[[nodiscard]] Nanoseconds measure_tick(const stalesock_bpf& skeleton);

} // namespace stalesock
