// SPDX-License-Identifier: Apache-2.0
#include "record/writer.hpp"

#include <utility>

namespace stalesock {

namespace {

constexpr std::size_t block_size = 64U << 10;
/// A recording in which nothing happens says now and then that nothing happened.
constexpr Nanoseconds longest_silence = std::chrono::seconds(10);

} // namespace

RecordingWriter::RecordingWriter(Output output, RecordingHeader header,
                                 std::optional<Anonymizer> anonymizer)
	: output_(std::move(output)), anonymizer_(anonymizer), block_(block_head_size),
	  last_block_(header.boot) {
	header.anonymized = anonymizer_.has_value();
	write(encode(header));
}

void RecordingWriter::record(ByteView record) {
	append(block_, static_cast<std::uint32_t>(record.size()));
	append(block_, record);
	if (anonymizer_) {
		anonymizer_->apply(std::span(block_).last(record.size()));
	}
	++records_;
	if (block_.size() >= block_size) {
		write_records({});
	}
}

void RecordingWriter::inventory(Nanoseconds now, const std::vector<std::string>& gaps) {
	Bytes content;
	append_texts(content, gaps);
	write_mark(BlockKind::inventory, now, std::move(content));
}

void RecordingWriter::losses(Nanoseconds now, const LossMark& losses) {
	if (losses.dropped == losses_.dropped && losses.missed == losses_.missed) {
		return;
	}
	losses_ = losses;
	Bytes content;
	append(content, losses.dropped);
	append(content, losses.missed);
	write_mark(BlockKind::losses, now, std::move(content));
}

void RecordingWriter::flush(Nanoseconds now) {
	if (block_.size() > block_head_size || now - last_block_ >= longest_silence) {
		write_records(now);
		last_block_ = now;
	}
}

void RecordingWriter::end(Nanoseconds now, const EndMark& end) {
	Bytes content;
	for (const std::uint64_t count :
	     {end.events, end.dropped, end.missed, end.malformed, end.mptcp_skipped}) {
		append(content, count);
	}
	write_mark(BlockKind::end, now, std::move(content));
}

void RecordingWriter::write_records(Nanoseconds time) {
	seal_block(block_, BlockKind::records, time);
	write(block_);
	block_.resize(block_head_size);
}

// Records keep their place before what is said about them.
void RecordingWriter::write_mark(BlockKind kind, Nanoseconds now, Bytes content) {
	flush(now);
	Bytes block(block_head_size);
	append(block, content);
	seal_block(block, kind, now);
	write(block);
}

void RecordingWriter::write(ByteView bytes) {
	if (error_ != 0) {
		return;
	}
	error_ = output_(bytes);
	if (error_ == 0) {
		size_ += bytes.size();
	}
}

} // namespace stalesock
