// SPDX-License-Identifier: Apache-2.0
#include "sinks/time_text.hpp"

#include <cmath>
#include <ctime>
#include <fmt/format.h>

namespace stalesock {

namespace chrono = std::chrono;

namespace {

double rounded_ms(Nanoseconds duration, double steps) {
	const double ms = static_cast<double>(duration.count()) / 1e6;
	return std::round(ms * steps) / steps;
}

} // namespace

std::string utc_text(WallTime time) {
	const auto day = chrono::floor<chrono::days>(time);
	const chrono::year_month_day date{day};
	const chrono::hh_mm_ss clock{chrono::floor<chrono::microseconds>(time - day)};
	return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
	                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
	                   clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
	                   clock.subseconds().count());
}

std::string local_text(WallTime time) {
	const auto second = chrono::floor<chrono::seconds>(time);
	const std::time_t since_epoch = second.time_since_epoch().count();
	std::tm local{};
	localtime_r(&since_epoch, &local);
	const auto ms = chrono::floor<chrono::milliseconds>(time - second).count();
	return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec, ms);
}

double coarse_ms(Nanoseconds duration) {
	return rounded_ms(duration, 10.0);
}

double fine_ms(Nanoseconds duration) {
	return rounded_ms(duration, 1000.0);
}

} // namespace stalesock
