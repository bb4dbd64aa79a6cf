// SPDX-License-Identifier: Apache-2.0
// A recording opened for reading.
#pragma once

#include "app/replay_input.hpp"
#include "probe/descriptor.hpp"
#include "record/reader.hpp"

#include <cstdint>
#include <string>

namespace stalesock {

/// Opens what a person named as a file to read; not a folder. Throws UsageError with the path and the reason.
[[nodiscard]] Descriptor open_input(const std::string& path);

/// Returns the bytes read, 0 at the end, or a negative errno.
[[nodiscard]] ssize_t read_some(const Descriptor& file, std::span<std::byte> to);

/// Bytes of a regular file; 0: not known.
[[nodiscard]] std::uint64_t size_of(const Descriptor& file);

class RecordingInput {
  public:
	/// Throws UsageError when it cannot be opened, or is no recording that this version reads.
	explicit RecordingInput(const std::string& path) : RecordingInput(ReplayInput(path), path) {}
	RecordingInput(ReplayInput input, const std::string& path);

	~RecordingInput() = default;
	RecordingInput(const RecordingInput&) = delete;
	RecordingInput& operator=(const RecordingInput&) = delete;

	[[nodiscard]] RecordingReader& reader() { return reader_; }
	[[nodiscard]] std::uint64_t size() const { return input_.size(); }

  private:
	ReplayInput input_;
	RecordingReader reader_;
};

} // namespace stalesock
