// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace bench {

namespace {

struct Pipe {
	Descriptor reader;
	Descriptor writer;
};

Pipe make_pipe() {
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		throw std::system_error(errno, std::generic_category(), "pipe2");
	}
	return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

[[noreturn]] void run_body(const Child::Body& body, int answers, int orders) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int status = 1;
	try {
		body(answers, orders);
		status = 0;
	} catch (const std::exception& error) {
		std::fprintf(stderr, "stalesock-bench: %s\n", error.what());
	}
	_exit(status);
}

} // namespace

void pin_to(int cpu) {
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(static_cast<unsigned>(cpu), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
	}
}

Child::Child(const Body& body) {
	Pipe answers = make_pipe();
	Pipe orders = make_pipe();
	std::fflush(nullptr);
	pid_ = fork(); // NOLINT(cppcoreguidelines-prefer-member-initializer): needs the pipes
	if (pid_ < 0) {
		throw std::system_error(errno, std::generic_category(), "fork");
	}
	if (pid_ == 0) {
		answers.reader = Descriptor{};
		orders.writer = Descriptor{};
		run_body(body, answers.writer.get(), orders.reader.get());
	}
	answers_ = std::move(answers.reader);
	orders_ = std::move(orders.writer);
}

Child::~Child() {
	stop();
	answers_ = Descriptor{};
	waitpid(pid_, nullptr, 0);
}

void Child::receive(void* bytes, std::size_t length) {
	auto* next = static_cast<char*>(bytes);
	while (length > 0) {
		const ssize_t count = read(answers_.get(), next, length);
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			throw std::runtime_error("a child process failed");
		}
		next += count;
		length -= static_cast<std::size_t>(count);
	}
}

void Child::stop() {
	orders_ = Descriptor{};
}

void send(int descriptor, const void* bytes, std::size_t length) {
	if (write(descriptor, bytes, length) != static_cast<ssize_t>(length)) {
		throw std::system_error(errno, std::generic_category(), "write to the parent");
	}
}

} // namespace bench
