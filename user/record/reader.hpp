// SPDX-License-Identifier: Apache-2.0
// A recording, read block by block. Nothing in the file is believed before its checksum agrees, and
// nothing before the damage is lost.
#pragma once

#include "record/format.hpp"

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/types.h>

namespace stalesock {

/// Not a recording, or not one that this version can read. what() says why, safe to print.
class RecordingRefused : public std::runtime_error {
  public:
	using std::runtime_error::runtime_error;
};

/// Where and how a recording is broken.
struct Damage {
	std::uint64_t offset = 0; ///< in the file, of the first byte that is wrong or missing
	std::string what;
};

class RecordingReader {
  public:
	/// Fills from the start of what it is given: the number of bytes, 0 at the end, or -errno.
	using Input = std::function<ssize_t(std::span<std::byte>)>;

	/// Reads the header. Throws RecordingRefused. A damaged header leaves an empty one: see damage().
	explicit RecordingReader(Input input);

	[[nodiscard]] const RecordingHeader& header() const { return header_; }

	/// The next block of a known kind. Null at the end of the recording and at damage. Good until the next
	/// call.
	[[nodiscard]] const Block* next();

	/// After next() has returned null.
	[[nodiscard]] const std::optional<Damage>& damage() const { return damage_; }
	/// Bytes read so far.
	[[nodiscard]] std::uint64_t offset() const { return offset_; }

  private:
	bool read(std::size_t count, const char* what);
	void read_header();
	void parse_header(ByteView body);
	bool read_block();
	void parse_content(BlockKind kind);
	void parse_records(ByteView content);
	const Block* check_end();
	void damaged(std::uint64_t offset, std::string what);

	Input input_;
	RecordingHeader header_;
	Bytes buffer_; ///< what was read last: bounded by largest_block
	Block block_;
	bool known_ = false; ///< block_ is of a known kind
	bool ended_ = false;
	std::optional<Damage> damage_;
	std::uint64_t offset_ = 0;
};

} // namespace stalesock
