// SPDX-License-Identifier: Apache-2.0
#include "app/standard_streams.hpp"

#include "app/exit_codes.hpp"
#include "app/report.hpp"
#include "sinks/line_output.hpp"
#include "sinks/text.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace stalesock {

void prepare_standard_streams() {
	std::signal(SIGPIPE, SIG_IGN);
	int descriptor = 0;
	do {
		descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (descriptor >= 0 && descriptor <= STDERR_FILENO);
	if (descriptor >= 0) {
		close(descriptor);
	}
}

int print(std::string_view text) {
	LineOutput output{STDOUT_FILENO};
	output.line(text);
	return exit_code_for_output(output.drain(std::chrono::seconds{10}));
}

/// Megabytes through a pipe of 64 KiB are a thousand turns of two processes. Not a pipe, or no more of them
/// for this user: then it stays as it is.
StandardOutput::StandardOutput() {
	constexpr int wanted = 1 << 20;
	if (fcntl(STDOUT_FILENO, F_GETPIPE_SZ) < wanted) {
		static_cast<void>(fcntl(STDOUT_FILENO, F_SETPIPE_SZ, wanted));
	}
}

bool StandardOutput::write(std::string_view text) {
	while (error_ == 0 && !text.empty()) {
		const ssize_t count = ::write(STDOUT_FILENO, text.data(), text.size());
		if (count >= 0) {
			text.remove_prefix(static_cast<std::size_t>(count));
		} else if (errno == EAGAIN) {
			pollfd descriptor{STDOUT_FILENO, POLLOUT, 0};
			poll(&descriptor, 1, -1);
		} else if (errno != EINTR) {
			error_ = errno;
		}
	}
	return error_ == 0;
}

TextOptions StandardOutput::text_options(bool head, bool colour) {
	TextOptions options;
	options.head = head;
	winsize size{};
	if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		options.columns = size.ws_col;
	}
	options.colour = colour && wants_colour(STDOUT_FILENO);
	return options;
}

int exit_code_for_output(int error) {
	if (error == 0 || error == EPIPE) {
		return exit_done;
	}
	report(fmt::format("cannot write to standard output: {}",
	                   std::strerror(error))); // NOLINT(concurrency-mt-unsafe)
	return exit_failed;
}

} // namespace stalesock
