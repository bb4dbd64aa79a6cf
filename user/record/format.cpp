// SPDX-License-Identifier: Apache-2.0
#include "record/format.hpp"

#include "stalesock/event.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <zlib.h>

namespace stalesock {

static_assert(std::endian::native == std::endian::little,
              "records go from the ring to the file as they are");

namespace {

std::uint64_t nanoseconds(Nanoseconds time) {
	return static_cast<std::uint64_t>(time.count());
}

std::uint32_t crc(std::uint32_t before, ByteView bytes) {
	const auto* const begin = reinterpret_cast<const Bytef*>(bytes.data());
	return static_cast<std::uint32_t>(crc32_z(before, begin, bytes.size()));
}

/// Gaps are a handful of sentences; what would not fit is left out.
std::vector<std::string> bounded(const std::vector<std::string>& texts) {
	constexpr std::size_t room = largest_header / 2;
	std::vector<std::string> kept;
	std::size_t size = 0;
	for (const std::string& text : texts) {
		size += text.size() + sizeof(std::uint16_t);
		if (size > room) {
			break;
		}
		kept.push_back(text);
	}
	return kept;
}

} // namespace

std::uint32_t record_layout() {
	return STALESOCK_RECORD_LAYOUT;
}

std::uint32_t checksum(ByteView first, ByteView second) {
	return crc(crc(0, first), second);
}

void append_texts(Bytes& bytes, const std::vector<std::string>& texts) {
	const std::vector<std::string> kept = bounded(texts);
	append(bytes, static_cast<std::uint16_t>(kept.size()));
	for (const std::string& text : kept) {
		append_text(bytes, text);
	}
}

Bytes encode(const RecordingHeader& header) {
	Bytes body;
	append(body, header.layout);
	append(body, std::uint32_t{header.anonymized});
	append(body, nanoseconds(header.tick));
	append(body, nanoseconds(header.boot));
	append(body, nanoseconds(header.wall.time_since_epoch()));
	append_text(body, header.version);
	append_text(body, header.kernel);
	append_text(body, header.machine);
	append_text(body, header.hook_class);
	append_texts(body, header.gaps);
	Bytes bytes;
	append(bytes, std::as_bytes(std::span(recording_magic)));
	append(bytes, recording_version);
	append(bytes, static_cast<std::uint32_t>(body.size()));
	append(bytes, checksum(bytes, body));
	append(bytes, body);
	return bytes;
}

void seal_block(Bytes& block, BlockKind kind, Nanoseconds time) {
	const ByteView content = ByteView(block).subspan(block_head_size);
	store(block.data(), static_cast<std::uint32_t>(kind));
	store(block.data() + 4, static_cast<std::uint32_t>(content.size()));
	store(block.data() + 8, nanoseconds(time));
	store(block.data() + 16, checksum(ByteView(block).first(16), content));
}

} // namespace stalesock
