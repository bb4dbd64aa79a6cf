// SPDX-License-Identifier: Apache-2.0
// Lines of a long input, with bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace stalesock {

class LineReader {
  public:
	/// Returns the bytes read, 0 at the end, or a negative errno.
	using Input = std::function<ssize_t(std::span<std::byte>)>;

	/// A line that is longer (bytes) is left out and counted.
	static constexpr std::size_t longest_line = 1U << 20;

	explicit LineReader(Input input) : input_(std::move(input)) {}

	/// Without its newline; good until the next call. Nothing at the end, or after an error.
	[[nodiscard]] std::optional<std::string_view> next();

	[[nodiscard]] std::uint64_t number() const { return number_; } ///< of the last line; from 1
	[[nodiscard]] std::uint64_t offset() const { return offset_; } ///< bytes read
	[[nodiscard]] std::uint64_t too_long() const { return too_long_; }
	[[nodiscard]] std::uint64_t first_too_long() const { return first_too_long_; }
	[[nodiscard]] int error() const { return error_; } ///< errno, or 0

  private:
	bool fill();
	void drop_line();

	Input input_;
	std::string buffer_;
	std::size_t at_ = 0;
	bool dropping_ = false; ///< inside of a line that is too long
	bool ended_ = false;
	std::uint64_t number_ = 0;
	std::uint64_t offset_ = 0;
	std::uint64_t too_long_ = 0;
	std::uint64_t first_too_long_ = 0;
	int error_ = 0;
};

} // namespace stalesock
