// SPDX-License-Identifier: Apache-2.0
// A recording, written block by block. What was flushed can be read whatever happens afterwards.
#pragma once

#include "record/anonymizer.hpp"
#include "record/format.hpp"

#include <functional>
#include <optional>

namespace stalesock {

class RecordingWriter {
  public:
	/// Writes all of it, or returns the errno that kept it from doing so.
	using Output = std::function<int(ByteView)>;

	/// Writes the header. With an anonymizer every record goes through it.
	RecordingWriter(Output output, RecordingHeader header, std::optional<Anonymizer> anonymizer);

	/// One record as the kernel wrote it; one that decode accepts.
	void record(ByteView record);
	void inventory(Nanoseconds now, const std::vector<std::string>& gaps);
	/// Totals; written when they have changed.
	void losses(Nanoseconds now, const LossMark& losses);
	/// Writes what waits. `now` was read before the ring was drained.
	void flush(Nanoseconds now);
	/// Nothing may follow.
	void end(Nanoseconds now, const EndMark& end);

	/// The errno that ended the output for good, or 0.
	[[nodiscard]] int error() const { return error_; }
	[[nodiscard]] std::uint64_t records() const { return records_; }
	/// Bytes written.
	[[nodiscard]] std::uint64_t size() const { return size_; }

  private:
	void write(ByteView bytes);
	void write_records(Nanoseconds time);
	void write_mark(BlockKind kind, Nanoseconds now, Bytes content);

	Output output_;
	std::optional<Anonymizer> anonymizer_;
	Bytes block_; ///< room for its head, then the records that wait
	LossMark losses_;
	Nanoseconds last_block_{};
	std::uint64_t records_ = 0;
	std::uint64_t size_ = 0;
	int error_ = 0;
};

} // namespace stalesock
