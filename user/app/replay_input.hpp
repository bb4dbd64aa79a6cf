// SPDX-License-Identifier: Apache-2.0
// The file that is replayed: its first bytes are looked at before its kind is known, in a pipe too.
#pragma once

#include "probe/descriptor.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/types.h>

namespace stalesock {

class ReplayInput {
  public:
	/// "-" is standard input. Throws UsageError.
	explicit ReplayInput(const std::string& path);

	/// The first bytes; fewer than four of a shorter file.
	[[nodiscard]] std::span<const std::byte> start() const {
		return std::span(start_).first(start_size_);
	}
	/// From the first byte on: the number of bytes, 0 at the end, or -errno.
	ssize_t read(std::span<std::byte> to);
	/// 0: not known.
	[[nodiscard]] std::uint64_t size() const;

  private:
	Descriptor file_;
	std::array<std::byte, 4> start_{};
	std::size_t start_size_ = 0;
	std::size_t start_given_ = 0;
};

} // namespace stalesock
