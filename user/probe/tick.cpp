// SPDX-License-Identifier: Apache-2.0
#include "probe/tick.hpp"

#include "probe/hooks.hpp"
#include "probe/skeleton.hpp"

#include <algorithm>
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

double nanoseconds_per_tick(const ClockPair& first, const ClockPair& last) {
	return static_cast<double>(last.boot_ns - first.boot_ns) /
	       static_cast<double>(last.jiffies - first.jiffies);
}

/// One edge that comes late, because the timekeeping CPU was away, spoils the two intervals it ends and
/// begins: the median of several does not mind.
double measure_median(const stalesock_bpf& skeleton) {
	constexpr auto interval = std::chrono::milliseconds(20);
	std::array<double, 7> samples{};
	ClockPair edge = next_edge(skeleton);
	for (double& sample : samples) {
		std::this_thread::sleep_for(interval);
		const ClockPair next = next_edge(skeleton);
		sample = nanoseconds_per_tick(edge, next);
		edge = next;
	}
	auto* const middle = samples.begin() + samples.size() / 2;
	std::nth_element(samples.begin(), middle, samples.end());
	return *middle;
}

constexpr std::array usual_rates{100.0, 250.0, 300.0, 1000.0}; // CONFIG_HZ

/// How far off the time since boot is, in seconds, if HZ were this.
double error_of(double rate, double jiffies, double seconds) {
	constexpr double seconds_before_wrap = 300;
	const double initial = 0x1p32 - seconds_before_wrap * rate;
	return std::abs((jiffies - initial) / rate - seconds);
}

} // namespace

Nanoseconds snap_tick(double nanoseconds) {
	constexpr double tolerance = 0.08; // 250 and 300 are 17 % apart
	constexpr double nanoseconds_per_second = 1e9;
	for (const double rate : usual_rates) {
		const double exact = nanoseconds_per_second / rate;
		if (std::abs(nanoseconds - exact) <= tolerance * exact) {
			return Nanoseconds(std::llround(exact));
		}
	}
	return Nanoseconds(std::llround(nanoseconds));
}

Nanoseconds tick_since_boot(std::uint64_t jiffies, Nanoseconds monotonic) {
	constexpr double offset = 2; // the tick begins after the clock
	constexpr double share = 0.01;
	const double seconds = std::chrono::duration<double>(monotonic).count();
	const double tolerance = offset + share * seconds;
	double found = 0;
	for (const double rate : usual_rates) {
		if (error_of(rate, static_cast<double>(jiffies), seconds) > tolerance) {
			continue;
		}
		if (found != 0) {
			return Nanoseconds::zero();
		}
		found = rate;
	}
	return found == 0 ? Nanoseconds::zero() : Nanoseconds(std::llround(1e9 / found));
}

Nanoseconds measure_tick(const stalesock_bpf& skeleton) {
	return snap_tick(measure_median(skeleton));
}

} // namespace stalesock
