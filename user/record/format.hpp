// SPDX-License-Identifier: Apache-2.0
// What a recording looks like. All numbers are little-endian.
//
//     prefix   magic (8 bytes), format version (u32), length of the header (u32), CRC-32 (u32) of
//              the prefix before it and of the header
//     header   see RecordingHeader; bytes after the known fields are passed over
//     blocks   kind (u32), length (u32), boot time (u64), CRC-32 (u32) of these and of the content, content
//
// Records are kept as the kernel wrote them; `layout` in the header names their layout. A block of an
// unknown kind is passed over. The last block is `end`; without it the recording was cut off.
#pragma once

#include "model/event.hpp"
#include "record/bytes.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace stalesock {

inline constexpr std::array<unsigned char, 8> recording_magic{0x89, 'S', 'T',  'L',
                                                              'S',  'K', '\r', '\n'};
inline constexpr std::uint32_t recording_version = 1;

inline constexpr std::size_t prefix_size = 20;
inline constexpr std::size_t block_head_size = 20;
inline constexpr std::uint32_t largest_header = 1U << 16;
inline constexpr std::uint32_t largest_block = 1U << 20; ///< content only

/// Later moments on either clock are no moments: differences of two below it cannot overflow.
inline constexpr std::uint64_t latest_time_ns = std::uint64_t{1} << 62;

/// The layout of records (include/stalesock/event.h) that is written and can be read.
[[nodiscard]] std::uint32_t record_layout();

struct RecordingHeader {
	std::string version;           ///< of the stalesock that recorded
	std::string kernel;            ///< uname -r
	std::string machine;           ///< uname -m
	std::string hook_class;        ///< as Probe::hook_class
	std::vector<std::string> gaps; ///< what no hook sees, one sentence each
	Nanoseconds tick{};            ///< length of one jiffy
	/// The same moment on both clocks, before the first record.
	Nanoseconds boot{};
	std::chrono::sys_time<Nanoseconds> wall;
	bool anonymized = false;
	std::uint32_t layout = record_layout();
};

/// Each record is a view into the block that was read: good until the next one is.
using Records = std::vector<ByteView>;

/// The inventory is complete; what could not be looked at, one sentence each.
struct InventoryMark {
	std::vector<std::string> gaps;
};

/// Totals so far.
struct LossMark {
	std::uint64_t dropped = 0;
	std::uint64_t missed = 0;
};

/// The recording ended as it should.
struct EndMark {
	std::uint64_t events = 0;
	std::uint64_t dropped = 0;
	std::uint64_t missed = 0;
	std::uint64_t malformed = 0;
	std::uint64_t mptcp_skipped = 0;
};

struct Block {
	Nanoseconds time{}; ///< everything that happened before it is in the recording; 0: not said
	std::variant<Records, InventoryMark, LossMark, EndMark> content;
};

/// Values of a block's kind.
enum class BlockKind : std::uint32_t { records = 1, inventory = 2, losses = 3, end = 4 };

/// Prefix and header.
[[nodiscard]] Bytes encode(const RecordingHeader& header);
/// Fills in the head of a block whose content follows block_head_size bytes.
void seal_block(Bytes& block, BlockKind kind, Nanoseconds time);

[[nodiscard]] std::uint32_t checksum(ByteView first, ByteView second);

void append_texts(Bytes& bytes, const std::vector<std::string>& texts);

} // namespace stalesock
