// SPDX-License-Identifier: Apache-2.0
#include "app/child.hpp"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace stalesock {

namespace {

// Only system calls and the body: the parent's objects must not be destroyed twice.
[[noreturn]] void live(const std::string& command, const std::function<int()>& body, pid_t parent) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(1);
	}
	prctl(PR_SET_NAME, command.c_str());
	_exit(body());
}

pid_t fork_running(const std::string& command, const std::function<int()>& body) {
	const pid_t parent = getpid();
	const pid_t child = fork();
	if (child < 0) {
		throw std::system_error(errno, std::generic_category(), "cannot fork");
	}
	if (child == 0) {
		live(command, body, parent);
	}
	return child;
}

} // namespace

Child::Child(const std::string& command, const std::function<int()>& body)
	: pid_(fork_running(command, body)) {}

Child::~Child() {
	if (!has_ended()) {
		kill(pid_, SIGKILL);
		while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
		}
	}
}

bool Child::has_ended() {
	if (!reaped_) {
		reaped_ = waitpid(pid_, nullptr, WNOHANG) != 0;
	}
	return reaped_;
}

} // namespace stalesock
