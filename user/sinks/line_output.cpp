// SPDX-License-Identifier: Apache-2.0
#include "sinks/line_output.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace stalesock {

namespace {

// poll() promises room for one page in a pipe; a larger write could block.
constexpr std::size_t chunk = 4096;

} // namespace

LineOutput::LineOutput(int descriptor, std::size_t limit)
	: descriptor_(descriptor), limit_(limit) {}

void LineOutput::line(std::string_view text) {
	if (error_ != 0) {
		return;
	}
	if (pending_.size() - written_ + text.size() >= limit_) {
		flush();
	}
	if (pending_.size() - written_ + text.size() >= limit_) {
		++discarded_;
		return;
	}
	pending_.append(text);
	pending_.push_back('\n');
}

int LineOutput::flush() {
	return drain(std::chrono::milliseconds{0});
}

int LineOutput::drain(std::chrono::milliseconds patience) {
	while (error_ == 0 && written_ < pending_.size() && writable(patience)) {
		write_some();
	}
	if (written_ == pending_.size() || error_ != 0) {
		pending_.clear();
		written_ = 0;
	} else if (written_ >= limit_ / 2) {
		pending_.erase(0, written_);
		written_ = 0;
	}
	return error_;
}

// Errors and hang-ups count as writable: the write then says what happened.
bool LineOutput::writable(std::chrono::milliseconds patience) const {
	pollfd descriptor{descriptor_, POLLOUT, 0};
	return poll(&descriptor, 1, static_cast<int>(patience.count())) > 0;
}

void LineOutput::write_some() {
	const std::size_t size = std::min(chunk, pending_.size() - written_);
	const ssize_t count = write(descriptor_, pending_.data() + written_, size);
	if (count >= 0) {
		written_ += static_cast<std::size_t>(count);
	} else if (errno != EINTR && errno != EAGAIN) {
		error_ = errno;
	}
}

} // namespace stalesock
