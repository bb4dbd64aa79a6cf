// SPDX-License-Identifier: Apache-2.0
// A file descriptor with one owner, and system calls that throw.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace runtime {

class Descriptor {
  public:
	Descriptor() = default;
	explicit Descriptor(int fd) : fd_(fd) {}
	~Descriptor() { close(); }
	Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Descriptor& operator=(Descriptor&& other) noexcept {
		if (this != &other) {
			close();
			fd_ = std::exchange(other.fd_, -1);
		}
		return *this;
	}

	operator int() const { return fd_; } // NOLINT(google-explicit-constructor): it is one
	void close() {
		if (fd_ >= 0) {
			::close(std::exchange(fd_, -1));
		}
	}

  private:
	int fd_ = -1;
};

/// The result of a system call, or its error as an exception.
template <typename Result> Result checked(Result result, const char* what) {
	if (result < 0) {
		throw std::system_error(errno, std::generic_category(), what);
	}
	return result;
}

} // namespace runtime
