// SPDX-License-Identifier: Apache-2.0
// Recordings in memory: made, broken, and read back.
#pragma once

#include "record/reader.hpp"
#include "record/writer.hpp"
#include "support/socket_model.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace stalesock::test {

inline constexpr Nanoseconds recorded_at = seconds(1000); ///< boot time

inline RecordingHeader sample_header() {
	RecordingHeader header;
	header.version = "0.1.0";
	header.kernel = "6.1.0-test";
	header.machine = "x86_64";
	header.hook_class = "tracepoint";
	header.gaps = {"one thing is not seen", "nor is another"};
	header.tick = tick;
	header.boot = recorded_at;
	header.wall = std::chrono::sys_time<Nanoseconds>(seconds(1'795'315'200));
	return header;
}

/// A writer into memory.
class Tape {
  public:
	explicit Tape(const RecordingHeader& header = sample_header(),
	              std::optional<Anonymizer> anonymizer = {})
		: writer([this](ByteView more) { return take(more); }, header, anonymizer) {}
	Tape(const Tape&) = delete;
	Tape& operator=(const Tape&) = delete;
	~Tape() = default;

	Bytes bytes;
	int refusal = 0; ///< errno of the next write
	RecordingWriter writer;

  private:
	int take(ByteView more) {
		if (refusal == 0) {
			append(bytes, more);
		}
		return refusal;
	}
};

/// Reads in pieces of at most this many bytes, as a pipe would give them.
inline RecordingReader::Input input_of(Bytes bytes, std::size_t piece = 7) {
	return [bytes = std::move(bytes), piece, at = std::size_t{0}](std::span<std::byte> to) mutable {
		const std::size_t count = std::min({piece, to.size(), bytes.size() - at});
		std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), count, to.begin());
		at += count;
		return static_cast<ssize_t>(count);
	};
}

/// All that a reader gives.
struct Content {
	std::vector<Bytes> records;
	std::vector<std::string> others; ///< "inventory", "losses", "end"
	std::optional<Damage> damage;
};

inline Content content_of(const Bytes& bytes) {
	RecordingReader reader(input_of(bytes));
	Content content;
	while (const Block* block = reader.next()) {
		if (const auto* records = std::get_if<Records>(&block->content)) {
			for (const ByteView record : *records) {
				content.records.emplace_back(record.begin(), record.end());
			}
		} else {
			const char* const names[] = {"", "inventory", "losses", "end"};
			content.others.emplace_back(names[block->content.index()]);
		}
	}
	content.damage = reader.damage();
	return content;
}

} // namespace stalesock::test
