// SPDX-License-Identifier: Apache-2.0
#include "watcher.hpp"

#include "limits.hpp"
#include "network.hpp"
#include "transcript.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace oracle {

namespace {

constexpr int longest_start_ms = 120'000; // an emulated, busy machine
constexpr std::string_view ready = "stalesock: watching";

struct Pipe {
	Descriptor reading;
	Descriptor writing;
};

Pipe make_pipe() {
	std::array<int, 2> ends{};
	if (::pipe2(ends.data(), O_CLOEXEC) != 0)
		throw SystemFailure("pipe");
	return {Descriptor(ends[0]), Descriptor(ends[1])};
}

[[noreturn]] void become(const std::string& program, bool events, int output, int errors) {
	::dup2(output, STDOUT_FILENO);
	::dup2(errors, STDERR_FILENO);
	const std::string limit = std::to_string(waiting_limit.count());
	const std::string interval = std::to_string(scan_interval.count());
	std::vector<const char*> arguments{
		program.c_str(), "watch",        "--json",      "--netns",
		"self",          "--collapse",   "0",           "--close-wait",
		limit.c_str(),   "--dirty-idle", limit.c_str(), "--scan-interval",
		interval.c_str()};
	if (events)
		arguments.push_back("--events");
	arguments.push_back(nullptr);
	::execvp(program.c_str(), const_cast<char* const*>(arguments.data()));
	::dprintf(STDERR_FILENO, "cannot run %s: %s\n", program.c_str(), std::strerror(errno));
	::_exit(127);
}

/// False at the end.
bool read_more(int pipe, std::string& text) {
	std::array<char, 65'536> buffer{};
	const ssize_t size = ::read(pipe, buffer.data(), buffer.size());
	if (size > 0)
		text.append(buffer.data(), static_cast<std::size_t>(size));
	return size > 0;
}

void read_to_end(int pipe, std::string& text) {
	while (read_more(pipe, text)) {
	}
}

} // namespace

Watcher::Watcher(const std::string& program, bool events) {
	Pipe output = make_pipe();
	Pipe errors = make_pipe();
	start(program, events, output.writing.get(), errors.writing.get());
	error_pipe_ = ::fcntl(errors.reading.get(), F_DUPFD_CLOEXEC, 0);
	output_reader_ =
		std::thread([this, pipe = std::move(output.reading)] { read_to_end(pipe.get(), output_); });
	output.writing.reset();
	errors.writing.reset();
	try {
		wait_until_watching();
	} catch (...) {
		reap();
		throw;
	}
}

void Watcher::start(const std::string& program, bool events, int output, int errors) {
	child_ = ::fork();
	if (child_ < 0)
		throw SystemFailure("fork");
	if (child_ == 0)
		become(program, events, output, errors);
}

Watcher::~Watcher() {
	reap();
}

void Watcher::wait_until_watching() {
	pollfd readable{error_pipe_, POLLIN, 0};
	while (errors_.find(ready) == std::string::npos) {
		if (::poll(&readable, 1, longest_start_ms) <= 0)
			throw std::runtime_error("stalesock does not say that it is watching; it said: " +
			                         errors_);
		if (!read_more(error_pipe_, errors_))
			throw std::runtime_error("stalesock ended at once; it said: " + errors_);
	}
}

int Watcher::reap() {
	if (child_ < 0)
		return -1;
	::kill(child_, SIGINT);
	read_to_end(error_pipe_, errors_);
	output_reader_.join();
	int status = 0;
	::waitpid(child_, &status, 0);
	::close(error_pipe_);
	child_ = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Transcript Watcher::stop() {
	const int exit_code = reap();
	Transcript transcript = parse_transcript(output_);
	transcript.output = output_;
	transcript.errors = errors_;
	transcript.exit_code = exit_code;
	return transcript;
}

} // namespace oracle
