// SPDX-License-Identifier: Apache-2.0
#include "sinks/line_output.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace stalesock {

namespace {

// poll() promises room for one page in a pipe; a larger write could block.
constexpr std::size_t chunk = 4096;

// poll() promises nothing for a terminal: room for one byte is room. O_NONBLOCK on the descriptor
// itself would be shared with the shell, so the terminal is opened anew.
int open_terminal_of(int descriptor) {
	if (isatty(descriptor) != 1) {
		return -1;
	}
	const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
	return open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

} // namespace

LineOutput::LineOutput(int descriptor, std::size_t limit)
	: terminal_(open_terminal_of(descriptor)), descriptor_(terminal_ < 0 ? descriptor : terminal_),
	  limit_(limit) {}

LineOutput::~LineOutput() {
	if (terminal_ >= 0) {
		close(terminal_);
	}
}

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
	auto left = patience;
	while (error_ == 0 && written_ < pending_.size() && writable(left)) {
		if (write_some()) {
			left = patience;
		} else if (left.count() > 0) { // a terminal that was said to be writable and is not
			poll(nullptr, 0, 1);
			left -= std::chrono::milliseconds{1};
		} else {
			break;
		}
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

bool LineOutput::write_some() {
	const std::size_t size = std::min(chunk, pending_.size() - written_);
	const ssize_t count = write(descriptor_, pending_.data() + written_, size);
	if (count >= 0) {
		written_ += static_cast<std::size_t>(count);
	} else if (errno != EINTR && errno != EAGAIN) {
		error_ = errno;
	}
	return count > 0;
}

} // namespace stalesock
