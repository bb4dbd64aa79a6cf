// SPDX-License-Identifier: Apache-2.0
// The user side without the kernel: raw records in memory, through decode and Engine.
#include "sections.hpp"

#include "child.hpp"
#include "probe/decode.hpp"
#include "records.hpp"
#include "statistics.hpp"
#include "tracers.hpp"
#include "verdict/engine.hpp"

#include <ctime>
#include <fmt/format.h>
#include <stdexcept>
#include <vector>

namespace bench {

namespace {

using stalesock::Engine;
using stalesock::Event;
using stalesock::Verdict;

constexpr double target_per_second = 2e6;
constexpr int repetitions = 5;
constexpr std::size_t events_per_tick = 4'096;

struct Speed {
	double per_second = 0;
	std::uint64_t verdicts = 0;
};

double cpu_seconds() {
	timespec now{};
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// `work` is called with every event.
template <typename Work> double run(const Records& records, Work work) {
	Event event;
	const std::byte* next = records.bytes.data();
	const double start = cpu_seconds();
	for (const std::uint32_t size : records.sizes) {
		if (decode({next, size}, event) != stalesock::DecodeStatus::ok) {
			throw std::logic_error("a made-up record is refused");
		}
		work(event);
		next += size;
	}
	return static_cast<double>(records.sizes.size()) / (cpu_seconds() - start);
}

Speed run_all(const Records& records) {
	Engine engine({});
	Speed speed;
	std::size_t since_tick = 0;
	const Engine::Handler count = [&](const Verdict&) { speed.verdicts++; };
	speed.per_second = run(records, [&](const Event& event) {
		engine.apply(event, count);
		if (++since_tick == events_per_tick) {
			since_tick = 0;
			engine.on_tick(event.time, count);
		}
	});
	return speed;
}

double run_decode(const Records& records) {
	std::uint64_t sum = 0;
	const double speed = run(records, [&](const Event& event) { sum += event.cookie; });
	return sum == 0 ? 0 : speed;
}

struct Result {
	double all = 0;
	double decode = 0;
	std::uint64_t verdicts = 0;
	std::uint64_t events = 0;
};

Result measure(std::uint32_t events) {
	pin_to(workload_cpu);
	const Records records = make_records(events);
	Result result;
	std::vector<double> all;
	std::vector<double> decoding;
	for (int i = 0; i < repetitions; i++) {
		const Speed speed = run_all(records);
		all.push_back(speed.per_second);
		decoding.push_back(run_decode(records));
		result.verdicts = speed.verdicts;
	}
	result.all = median(all);
	result.decode = median(decoding);
	result.events = records.sizes.size();
	return result;
}

} // namespace

Table measure_user_side(const Size& size) {
	const Result result = in_child([&] { return measure(size.events); });
	return {
		{"decode alone", "", fmt::format("{:.2f} M events/s", result.decode / 1e6),
	     Outcome::information},
		{fmt::format("decode + track + judge ({} verdicts in {:.1f} M)", result.verdicts,
	                 static_cast<double>(result.events) / 1e6),
	     fmt::format(">= {:.0f} M/s", target_per_second / 1e6),
	     fmt::format("{:.2f} M events/s", result.all / 1e6),
	     judge(result.all >= target_per_second)},
	};
}

} // namespace bench
