// SPDX-License-Identifier: Apache-2.0
#include "app/replay_input.hpp"

#include "app/recording_input.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace stalesock {

namespace {

Descriptor open_file(const std::string& path) {
	return path == "-" ? Descriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) : open_input(path);
}

} // namespace

// A failure to read comes again when the rest is read.
ReplayInput::ReplayInput(const std::string& path) : file_(open_file(path)) {
	ssize_t count = 1;
	while (count > 0 && start_size_ < start_.size()) {
		count = read_some(file_, std::span(start_).subspan(start_size_));
		start_size_ += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
	}
}

ssize_t ReplayInput::read(std::span<std::byte> to) {
	if (start_given_ == start_size_) {
		return read_some(file_, to);
	}
	const auto rest = start().subspan(start_given_);
	const std::size_t count = std::min(rest.size(), to.size());
	std::copy_n(rest.begin(), count, to.begin());
	start_given_ += count;
	return static_cast<ssize_t>(count);
}

std::uint64_t ReplayInput::size() const {
	return size_of(file_);
}

} // namespace stalesock
