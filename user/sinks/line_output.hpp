// SPDX-License-Identifier: Apache-2.0
// Lines to a file descriptor that never stall the caller: a slow reader fills a bounded buffer,
// then lines are discarded and counted.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stalesock {

class LineOutput {
  public:
	static constexpr std::size_t default_limit = 8U << 20;

	/// Does not own the descriptor. `limit` bounds the bytes kept for a slow reader.
	explicit LineOutput(int descriptor, std::size_t limit = default_limit);
	~LineOutput();
	LineOutput(const LineOutput&) = delete;
	LineOutput& operator=(const LineOutput&) = delete;

	/// Takes one line without its newline.
	void line(std::string_view text);

	/// Writes what can be written without waiting. Returns 0, or the errno that ended the output
	/// (EPIPE: the reader has gone, ENOSPC: the disk is full, ...); it stays.
	int flush();

	/// Like flush, but gives up only when the reader takes nothing for this long. For the end of the
	/// program.
	int drain(std::chrono::milliseconds patience);

	/// Lines that were not written because the buffer was full.
	[[nodiscard]] std::uint64_t discarded() const { return discarded_; }

  private:
	[[nodiscard]] bool writable(std::chrono::milliseconds patience) const;
	/// Whether anything was taken.
	bool write_some();

	int terminal_; ///< ours to close; -1 where the descriptor is none
	int descriptor_;
	std::size_t limit_;
	std::string pending_;
	std::size_t written_ = 0; ///< bytes at the front of pending_ that are out already
	int error_ = 0;
	std::uint64_t discarded_ = 0;
};

} // namespace stalesock
