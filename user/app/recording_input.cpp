// SPDX-License-Identifier: Apache-2.0
#include "app/recording_input.hpp"

#include "app/options.hpp"
#include "model/escape.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace stalesock {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
	throw UsageError(fmt::format("{}: {}", escape_untrusted(path), why));
}

RecordingReader read_header(ReplayInput& input, const std::string& path) {
	try {
		return RecordingReader{[&input](std::span<std::byte> to) { return input.read(to); }};
	} catch (const RecordingRefused& refusal) {
		refuse(path, refusal.what());
	}
}

} // namespace

Descriptor open_input(const std::string& path) {
	Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
	struct stat facts {};
	if (!file.valid() || fstat(file.get(), &facts) != 0) {
		refuse(path, std::strerror(errno)); // NOLINT(concurrency-mt-unsafe)
	}
	if (S_ISDIR(facts.st_mode)) {
		refuse(path, "is a directory");
	}
	return file;
}

ssize_t read_some(const Descriptor& file, std::span<std::byte> to) {
	ssize_t count = 0;
	do {
		count = read(file.get(), to.data(), to.size());
	} while (count < 0 && errno == EINTR);
	return count < 0 ? -errno : count;
}

std::uint64_t size_of(const Descriptor& file) {
	struct stat facts {};
	const bool known = fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode);
	return known ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

RecordingInput::RecordingInput(ReplayInput input, const std::string& path)
	: input_(std::move(input)), reader_(read_header(input_, path)) {}

} // namespace stalesock
