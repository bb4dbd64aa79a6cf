// SPDX-License-Identifier: Apache-2.0
#include "sinks/line_file.hpp"

#include "sinks/json.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

constexpr mode_t readable_by_group = 0640;

std::string explain(std::string_view what, int error) {
	return fmt::format("{}: {}", what, std::strerror(error)); // NOLINT(concurrency-mt-unsafe)
}

} // namespace

LineFileSink::LineFileSink(LineFileOptions options)
	: QueuedSink(options.path, options.queue), options_(std::move(options)) {}

LineFileSink::~LineFileSink() {
	reopen();
}

void LineFileSink::reopen() {
	if (const int descriptor = std::exchange(descriptor_, -1); descriptor >= 0) {
		close(descriptor);
	}
}

QueuedSink::Item LineFileSink::format(const Verdict& verdict, WallTime time) const {
	return {json_line(verdict, time) + "\n"};
}

QueuedSink::Item LineFileSink::format(const Collapsed& collapsed, WallTime time) const {
	return {json_line(collapsed, time) + "\n"};
}

QueuedSink::Item LineFileSink::format(const Note& note, WallTime time) const {
	return {json_line(note, time) + "\n"};
}

// O_NONBLOCK is for a FIFO without a reader: the open fails instead of waiting.
std::string LineFileSink::open_file() {
	const int descriptor =
		open(options_.path.c_str(),
	         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, readable_by_group);
	struct stat facts {};
	if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
		return explain("cannot be opened", errno);
	}
	if (!S_ISREG(facts.st_mode)) {
		close(descriptor);
		return "is not a regular file";
	}
	descriptor_ = descriptor;
	size_ = static_cast<std::uint64_t>(facts.st_size);
	return {};
}

// The oldest is overwritten by the one before it.
std::string LineFileSink::rotate() {
	const auto numbered = [&](unsigned number) {
		return number == 0 ? options_.path : fmt::format("{}.{}", options_.path, number);
	};
	for (unsigned number = options_.keep; number > 0; --number) {
		if (rename(numbered(number - 1).c_str(), numbered(number).c_str()) != 0 &&
		    errno != ENOENT) {
			return explain("cannot be rotated", errno);
		}
	}
	reopen();
	return {};
}

std::string LineFileSink::write_line(const std::string& line) {
	const ssize_t count = write(descriptor_, line.data(), line.size());
	if (count == static_cast<ssize_t>(line.size())) {
		size_ += line.size();
		return {};
	}
	const int error = count < 0 ? errno : ENOSPC;
	if (count > 0) { // half a line would spoil the next one
		static_cast<void>(ftruncate(descriptor_, static_cast<off_t>(size_)));
	}
	return explain("cannot be written", error);
}

std::string LineFileSink::deliver(const Item& item, bool /*late*/) {
	const std::string& line = item.front();
	std::string problem = descriptor_ < 0 ? open_file() : std::string{};
	const bool full =
		options_.max_size != 0 && size_ != 0 && size_ + line.size() > options_.max_size;
	if (problem.empty() && full) {
		problem = rotate();
		if (problem.empty()) {
			problem = open_file();
		}
	}
	return problem.empty() ? write_line(line) : problem;
}

} // namespace stalesock
