// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace runtime {

namespace {

struct Pipe {
	Descriptor read_end;
	Descriptor write_end;
};

Pipe open_pipe() {
	std::array<int, 2> ends{};
	checked(pipe2(ends.data(), O_CLOEXEC), "pipe2");
	return {Descriptor(ends[0]), Descriptor(ends[1])};
}

[[noreturn]] void execute(const Arguments& arguments, int output, int errors) {
	std::vector<char*> pointers;
	for (const std::string& argument : arguments) {
		pointers.push_back(const_cast<char*>(argument.c_str()));
	}
	pointers.push_back(nullptr);
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL); // never outlive a test that crashed
	signal(SIGPIPE, SIG_DFL);
	execvp(pointers[0], pointers.data());
	_exit(127);
}

/// Appends what can be read now. False at the end of the stream, which is then closed.
bool append_from(Descriptor& source, std::string& text) {
	std::array<char, 65536> buffer{};
	const ssize_t count = read(source, buffer.data(), buffer.size());
	if (count <= 0) {
		source.close();
		return false;
	}
	text.append(buffer.data(), static_cast<std::size_t>(count));
	return true;
}

ExitCode decoded(int status) {
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void kill_and_reap(pid_t pid) {
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, nullptr, 0);
	}
}

} // namespace

ExitCode wait_for_exit(pid_t pid, milliseconds limit) {
	int status = 0;
	if (eventually([&] { return checked(waitpid(pid, &status, WNOHANG), "waitpid") == pid; },
	               limit)) {
		return decoded(status);
	}
	kill_and_reap(pid);
	throw std::runtime_error("a child process did not end in time");
}

Process::Process(const Arguments& arguments, const std::string& output_path) {
	Pipe output = open_pipe();
	Pipe errors = open_pipe();
	if (!output_path.empty()) {
		output.write_end =
			Descriptor(checked(open(output_path.c_str(), O_WRONLY | O_CLOEXEC), "open"));
	}
	pid_ = checked(fork(), "fork");
	if (pid_ == 0) {
		execute(arguments, output.write_end, errors.write_end);
	}
	output_ = std::move(output.read_end);
	errors_ = std::move(errors.read_end);
}

Process::~Process() {
	kill_and_reap(pid_);
}

void Process::signal(int number) const {
	checked(kill(pid_, number), "kill");
}

void Process::read_available(milliseconds limit) {
	std::array<pollfd, 2> streams{{{output_, POLLIN, 0}, {errors_, POLLIN, 0}}};
	checked(poll(streams.data(), streams.size(), static_cast<int>(limit.count())), "poll");
	if (streams[0].revents != 0) {
		append_from(output_, output_text_);
	}
	if (streams[1].revents != 0) {
		append_from(errors_, error_text_);
	}
}

ExitCode Process::finish(milliseconds limit) {
	const auto deadline = Clock::now() + limit;
	while ((output_ >= 0 || errors_ >= 0) && Clock::now() < deadline) {
		read_available(milliseconds(50));
	}
	const pid_t ended = std::exchange(pid_, -1);
	return wait_for_exit(ended, std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(
															  deadline - Clock::now())));
}

Result run(const Arguments& arguments, const std::string& output_path) {
	Process process(arguments, output_path);
	Result result;
	result.code = process.finish(2 * patience);
	result.output = process.output();
	result.errors = process.errors();
	return result;
}

std::string stalesock_path() {
	const char* path = std::getenv("STALESOCK");
	return path != nullptr ? path : "build/stalesock";
}

Fork::Fork(const std::function<int()>& body) : pid_(checked(fork(), "fork")) {
	if (pid_ != 0) {
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	try {
		_exit(body());
	} catch (...) {
		_exit(99);
	}
}

Fork::~Fork() {
	kill_and_reap(pid_);
}

ExitCode Fork::wait() {
	return wait_for_exit(std::exchange(pid_, -1));
}

void rename_thread(std::string_view name) {
	checked(prctl(PR_SET_NAME, std::string(name).c_str()), "PR_SET_NAME");
}

std::string own_command() {
	std::ifstream file("/proc/self/comm");
	std::string command;
	std::getline(file, command);
	return command;
}

} // namespace runtime
