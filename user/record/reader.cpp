// SPDX-License-Identifier: Apache-2.0
#include "record/reader.hpp"

#include "model/escape.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace stalesock {

namespace {

constexpr Nanoseconds shortest_tick = std::chrono::microseconds(100);
constexpr Nanoseconds longest_tick = std::chrono::milliseconds(100);

std::vector<std::string> read_texts(ByteReader& reader) {
	std::vector<std::string> texts;
	for (auto left = reader.number<std::uint16_t>(); left > 0 && !reader.failed(); left--) {
		texts.push_back(reader.text());
	}
	return texts;
}

bool is_time(std::uint64_t nanoseconds) {
	return nanoseconds < latest_time_ns;
}

Nanoseconds time_of(std::uint64_t nanoseconds) {
	return Nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

} // namespace

RecordingReader::RecordingReader(Input input) : input_(std::move(input)) {
	read_header();
}

void RecordingReader::damaged(std::uint64_t offset, std::string what) {
	damage_ = Damage{offset, std::move(what)};
	ended_ = true;
}

/// Appends exactly this many bytes to the buffer. False at damage.
bool RecordingReader::read(std::size_t count, const char* what) {
	const std::size_t start = buffer_.size();
	buffer_.resize(start + count);
	std::size_t have = start;
	while (have < buffer_.size()) {
		const ssize_t got = input_(std::span(buffer_).subspan(have));
		if (got <= 0) {
			buffer_.resize(have);
			damaged(offset_, got == 0 ? fmt::format("it ends within {}", what)
			                          : fmt::format("it cannot be read: {}",
			                                        std::strerror(static_cast<int>(-got))));
			return false;
		}
		have += static_cast<std::size_t>(got);
		offset_ += static_cast<std::uint64_t>(got);
	}
	return true;
}

void RecordingReader::read_header() {
	const auto magic = std::as_bytes(std::span(recording_magic));
	if (!read(prefix_size, "its header") && buffer_.size() < magic.size()) {
		throw RecordingRefused(buffer_.empty() ? "is empty, not a recording of stalesock"
		                                       : "is not a recording of stalesock");
	}
	if (!std::equal(magic.begin(), magic.end(), buffer_.begin())) {
		throw RecordingRefused("is not a recording of stalesock");
	}
	if (damage_) {
		return;
	}
	ByteReader prefix(ByteView(buffer_).subspan(magic.size()));
	const auto version = prefix.number<std::uint32_t>();
	const auto length = prefix.number<std::uint32_t>();
	const auto crc = prefix.number<std::uint32_t>();
	if (version != recording_version) {
		throw RecordingRefused(
			fmt::format("is a recording of format {}; this stalesock reads format {}", version,
		                recording_version));
	}
	if (length > largest_header) {
		return damaged(magic.size() + 4, "its header has an impossible length");
	}
	if (!read(length, "its header")) {
		return;
	}
	const ByteView all(buffer_);
	const ByteView body = all.subspan(prefix_size);
	if (checksum(all.first(prefix_size - 4), body) != crc) {
		return damaged(magic.size(), "the checksum of its header does not agree");
	}
	parse_header(body);
}

void RecordingReader::parse_header(ByteView body) {
	ByteReader reader(body);
	header_.layout = reader.number<std::uint32_t>();
	header_.anonymized = (reader.number<std::uint32_t>() & 1U) != 0;
	const auto tick = reader.number<std::uint64_t>();
	const auto boot = reader.number<std::uint64_t>();
	const auto wall = reader.number<std::uint64_t>();
	header_.version = reader.text();
	header_.kernel = reader.text();
	header_.machine = reader.text();
	header_.hook_class = reader.text();
	header_.gaps = read_texts(reader);
	if (reader.failed() || !is_time(tick) || !is_time(boot) || !is_time(wall) ||
	    time_of(tick) < shortest_tick || time_of(tick) > longest_tick) {
		return damaged(prefix_size, "its header makes no sense");
	}
	header_.tick = time_of(tick);
	header_.boot = time_of(boot);
	header_.wall = std::chrono::sys_time<Nanoseconds>(time_of(wall));
	if (header_.layout != record_layout()) {
		throw RecordingRefused(fmt::format(
			"has records of layout {}, made by stalesock {}; this stalesock reads layout {}",
			header_.layout, escape_untrusted(header_.version), record_layout()));
	}
}

const Block* RecordingReader::next() {
	while (!ended_) {
		if (!read_block()) {
			break;
		}
		if (known_) {
			return std::holds_alternative<EndMark>(block_.content) ? check_end() : &block_;
		}
	}
	return nullptr;
}

/// Nothing follows the end.
const Block* RecordingReader::check_end() {
	std::array<std::byte, 1> more{};
	const ssize_t got = input_(more);
	ended_ = true;
	if (got != 0) {
		damaged(offset_, "something follows its end");
	}
	return &block_;
}

bool RecordingReader::read_block() {
	const std::uint64_t start = offset_;
	buffer_.clear();
	if (!read(block_head_size, "the head of a block")) {
		if (buffer_.empty() && damage_->what.starts_with("it ends")) {
			damaged(offset_, "its end is missing: the recording was cut off");
		}
		return false;
	}
	ByteReader head(buffer_);
	const auto kind = head.number<std::uint32_t>();
	const auto length = head.number<std::uint32_t>();
	const auto time = head.number<std::uint64_t>();
	const auto crc = head.number<std::uint32_t>();
	if (length > largest_block) {
		damaged(start + 4, "a block has an impossible length");
		return false;
	}
	if (!read(length, "a block")) {
		return false;
	}
	const ByteView all(buffer_);
	if (checksum(all.first(block_head_size - 4), all.subspan(block_head_size)) != crc) {
		damaged(start, "the checksum of a block does not agree");
		return false;
	}
	if (!is_time(time)) {
		damaged(start + 8, "a block has an impossible time");
		return false;
	}
	block_.time = time_of(time);
	parse_content(static_cast<BlockKind>(kind));
	return !ended_ || known_;
}

void RecordingReader::parse_content(BlockKind kind) {
	const ByteView content = ByteView(buffer_).subspan(block_head_size);
	ByteReader reader(content);
	known_ = true;
	switch (kind) {
	case BlockKind::records: return parse_records(content);
	case BlockKind::inventory: block_.content = InventoryMark{read_texts(reader)}; break;
	case BlockKind::losses: {
		LossMark losses;
		losses.dropped = reader.number<std::uint64_t>();
		losses.missed = reader.number<std::uint64_t>();
		block_.content = losses;
		break;
	}
	case BlockKind::end: {
		EndMark end;
		for (std::uint64_t* count :
		     {&end.events, &end.dropped, &end.missed, &end.malformed, &end.mptcp_skipped}) {
			*count = reader.number<std::uint64_t>();
		}
		block_.content = end;
		break;
	}
	default: known_ = false;
	}
	if (reader.failed()) {
		known_ = false;
		damaged(offset_, "a block is shorter than its kind");
	}
}

/// Records before a bad length stay.
void RecordingReader::parse_records(ByteView content) {
	if (!std::holds_alternative<Records>(block_.content)) {
		block_.content = Records{};
	}
	auto& records = std::get<Records>(block_.content);
	records.clear();
	ByteReader reader(content);
	while (!reader.empty() && !reader.failed()) {
		const std::size_t start = reader.position();
		const ByteView record = reader.take(reader.number<std::uint32_t>());
		if (reader.failed() || record.empty()) {
			damaged(offset_ - content.size() + start,
			        "a record is longer than its block, or empty");
			return;
		}
		records.push_back(record);
	}
}

} // namespace stalesock
