// SPDX-License-Identifier: Apache-2.0
#include "app/progress.hpp"

#include <cstdio>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;
constexpr auto interval = 200ms;
constexpr std::string_view clear_line = "\r\x1b[K";

void print(std::string_view text) {
	std::fwrite(text.data(), 1, text.size(), stderr);
}

} // namespace

Progress::Progress(std::string what, std::uint64_t total)
	: what_(std::move(what)), total_(total), wanted_(total != 0 && isatty(STDERR_FILENO) == 1),
	  next_(Clock::now() + patience) {}

Progress::~Progress() {
	hide();
}

void Progress::update(std::uint64_t done) {
	if (!wanted_) {
		return;
	}
	const auto now = Clock::now();
	if (now < next_) {
		return;
	}
	next_ = now + interval;
	print(fmt::format("{}stalesock: {}: {} %", clear_line, what_, done * 100 / total_));
	shown_ = true;
}

void Progress::hide() {
	if (std::exchange(shown_, false)) {
		print(clear_line);
	}
}

} // namespace stalesock
