// SPDX-License-Identifier: Apache-2.0
#include "app/service.hpp"

#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace stalesock {

namespace {

constexpr int keep_environment = 0;

} // namespace

void notify_ready() {
	sd_notify(keep_environment, "READY=1");
}

// Type=notify-reload wants the moment at which the reload began.
void notify_reloading() {
	constexpr std::uint64_t microseconds_per_second = 1'000'000;
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	const std::uint64_t microseconds =
		static_cast<std::uint64_t>(now.tv_sec) * microseconds_per_second +
		static_cast<std::uint64_t>(now.tv_nsec) / 1000;
	sd_notifyf(keep_environment, "RELOADING=1\nMONOTONIC_USEC=%llu",
	           static_cast<unsigned long long>(microseconds)); // NOLINT(google-runtime-int)
}

void notify_stopping() {
	sd_notify(keep_environment, "STOPPING=1");
}

void notify_status(const std::string& line) {
	sd_notifyf(keep_environment, "STATUS=%s", line.c_str());
}

bool journal_has_standard_error() {
	const char* stream = std::getenv("JOURNAL_STREAM"); // NOLINT(concurrency-mt-unsafe)
	struct stat facts {};
	return stream != nullptr && fstat(STDERR_FILENO, &facts) == 0 &&
	       fmt::format("{}:{}", facts.st_dev, facts.st_ino) == stream;
}

} // namespace stalesock
