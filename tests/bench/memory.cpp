// SPDX-License-Identifier: Apache-2.0
#include "sections.hpp"

#include "child.hpp"
#include "probe/decode.hpp"
#include "records.hpp"
#include "tracers.hpp"
#include "verdict/engine.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bench {

namespace {

using stalesock::Engine;
using stalesock::Event;
using stalesock::Verdict;

constexpr double idle_target_mb = 20;
constexpr double connection_target_bytes = 200;
constexpr std::uint32_t connections = 200'000;

double resident_bytes(pid_t pid) {
	std::ifstream file("/proc/" + std::to_string(pid) + "/status");
	std::string word;
	double kilobytes = 0;
	while (file >> word) {
		if (word == "VmRSS:" && file >> kilobytes) {
			break;
		}
	}
	return 1024 * kilobytes;
}

/// In a fresh process image: a fork would count what its parent had.
double measure_probe() {
	const auto tracer = trace_with_build("/proc/self/exe");
	std::this_thread::sleep_for(std::chrono::seconds(1));
	const double bytes = resident_bytes(tracer->pid());
	tracer->finish();
	return bytes;
}

/// The product itself, 0 where it is not built.
double measure_watch() {
	const pid_t pid = fork();
	if (pid == 0) {
		const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
		execl(STALESOCK_BINARY, STALESOCK_BINARY, "watch", nullptr);
		_exit(127);
	}
	std::this_thread::sleep_for(std::chrono::seconds(2));
	const double bytes = resident_bytes(pid);
	kill(pid, SIGINT);
	waitpid(pid, nullptr, 0);
	return bytes;
}

double measure_growth() {
	const Records records = make_opens(connections);
	Engine engine({});
	Event event;
	const Engine::Handler ignore = [](const Verdict&) {};
	const double before = resident_bytes(getpid());
	const std::byte* next = records.bytes.data();
	for (const std::uint32_t size : records.sizes) {
		if (decode({next, size}, event) == stalesock::DecodeStatus::ok) {
			engine.apply(event, ignore);
		}
		next += size;
	}
	const double growth = resident_bytes(getpid()) - before;
	return growth / static_cast<double>(engine.counters().tracked);
}

std::string megabytes(double bytes) {
	return fmt::format("{:.1f} MB", bytes / 1e6);
}

} // namespace

Table measure_memory(const Size& /*size*/) {
	const std::string idle_target = fmt::format("< {:.0f} MB", idle_target_mb);
	const double probe = measure_probe();
	const double watch = in_child(measure_watch);
	const double growth = in_child(measure_growth);
	return {
		{"probe and engine attached, idle", idle_target, megabytes(probe),
	     judge(probe < 1e6 * idle_target_mb)},
		{"stalesock watch, idle", idle_target,
	     watch > 0 ? megabytes(watch) : std::string(STALESOCK_BINARY " did not run"),
	     watch > 0 ? judge(watch < 1e6 * idle_target_mb) : Outcome::unavailable},
		{fmt::format("for each of {} tracked connections", connections),
	     fmt::format("< {:.0f} B", connection_target_bytes), fmt::format("{:.0f} B", growth),
	     judge(growth < connection_target_bytes)},
	};
}

} // namespace bench
