// SPDX-License-Identifier: Apache-2.0
#include "probe/tick.hpp"

#include "probe/hooks.hpp"

#include <array>
#include <bpf/bpf.h>
#include <cmath>
#include <thread>

namespace stalesock {

namespace {

struct ClockPair {
	std::uint64_t jiffies;
	std::uint64_t boot_ns;
};

ClockPair read_clocks(const stalesock_bpf& skeleton) {
	LIBBPF_OPTS(bpf_test_run_opts, options);
	const int error = bpf_prog_test_run_opts(bpf_program__fd(skeleton.progs.read_tick), &options);
	if (error != 0) {
		throw KernelRefusal("the kernel's tick cannot be read: " + explain_error(-error));
	}
	return {skeleton.bss->tick_jiffies, skeleton.bss->tick_boot_ns};
}

/// The first reading after jiffies moved: exact to the time of one system call.
ClockPair next_edge(const stalesock_bpf& skeleton) {
	const ClockPair start = read_clocks(skeleton);
	ClockPair now = start;
	while (now.jiffies == start.jiffies) {
		now = read_clocks(skeleton);
	}
	return now;
}

} // namespace

Nanoseconds measure_tick(const stalesock_bpf& skeleton) {
	constexpr auto wait = std::chrono::milliseconds(40);
	constexpr double tolerance = 0.03;
	constexpr double nanoseconds_per_second = 1e9;
	const ClockPair first = next_edge(skeleton);
	std::this_thread::sleep_for(wait);
	const ClockPair last = next_edge(skeleton);
	const double tick = static_cast<double>(last.boot_ns - first.boot_ns) /
	                    static_cast<double>(last.jiffies - first.jiffies);
	for (const double rate : std::array{100.0, 250.0, 300.0, 1000.0}) {
		const double exact = nanoseconds_per_second / rate;
		if (std::abs(tick - exact) <= tolerance * exact) {
			return Nanoseconds(std::llround(exact));
		}
	}
	return Nanoseconds(std::llround(tick));
}

} // namespace stalesock
