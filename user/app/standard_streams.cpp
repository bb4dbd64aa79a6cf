// SPDX-License-Identifier: Apache-2.0
#include "app/standard_streams.hpp"

#include "app/exit_codes.hpp"
#include "app/report.hpp"
#include "sinks/line_output.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
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

int exit_code_for_output(int error) {
	if (error == 0 || error == EPIPE) {
		return exit_done;
	}
	report(fmt::format("cannot write to standard output: {}",
	                   std::strerror(error))); // NOLINT(concurrency-mt-unsafe)
	return exit_failed;
}

} // namespace stalesock
