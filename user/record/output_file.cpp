// SPDX-License-Identifier: Apache-2.0
#include "record/output_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

constexpr mode_t owner_only = 0600;

bool is_stream(const std::string& path) {
	struct stat facts {};
	return stat(path.c_str(), &facts) == 0 && (S_ISFIFO(facts.st_mode) || S_ISCHR(facts.st_mode));
}

/// Opens it, or returns -1.
int open_for_writing(const std::string& path, bool overwrite) {
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
	if (!is_stream(path)) {
		flags |= overwrite ? O_TRUNC : O_EXCL;
	}
	return open(path.c_str(), flags, owner_only);
}

} // namespace

std::string OutputFile::objection(const std::string& path, bool overwrite) {
	struct stat facts {};
	if (lstat(path.c_str(), &facts) != 0 || is_stream(path)) {
		return {};
	}
	if (S_ISDIR(facts.st_mode)) {
		return "is a directory";
	}
	return overwrite ? "" : "exists already (--force overwrites it)";
}

OutputFile::OutputFile(const std::string& path, bool overwrite)
	: descriptor_(open_for_writing(path, overwrite)) {
	struct stat facts {};
	if (descriptor_ < 0 || fstat(descriptor_, &facts) != 0) {
		throw std::system_error(errno, std::generic_category(), "cannot write " + path);
	}
	regular_ = S_ISREG(facts.st_mode);
	if (regular_ && fchmod(descriptor_, owner_only) != 0) { // one that existed may be open to all
		const int error = errno;
		static_cast<void>(close());
		throw std::system_error(error, std::generic_category(), "cannot protect " + path);
	}
}

OutputFile::~OutputFile() {
	static_cast<void>(close());
}

int OutputFile::write(ByteView bytes) {
	ByteView rest = bytes;
	while (!rest.empty()) {
		const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
		if (count >= 0) {
			rest = rest.subspan(static_cast<std::size_t>(count));
		} else if (errno != EINTR) {
			const int error = errno;
			if (regular_) { // half a block would look like damage
				static_cast<void>(ftruncate(descriptor_, static_cast<off_t>(size_)));
			}
			return error;
		}
	}
	size_ += bytes.size();
	return 0;
}

int OutputFile::close() {
	const int descriptor = std::exchange(descriptor_, -1);
	return descriptor < 0 || ::close(descriptor) == 0 ? 0 : errno;
}

} // namespace stalesock
