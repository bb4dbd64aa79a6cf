// SPDX-License-Identifier: Apache-2.0
// JSON lines in a file that is rotated by size, by us, or on request, by others (logrotate). A full disk leaves
// whole lines only, and nothing that was written before is lost.
#pragma once

#include "sinks/queued_sink.hpp"

#include <cstdint>
#include <string>

namespace stalesock {

struct LineFileOptions {
	std::string path;                      ///< absolute
	std::uint64_t max_size = 100ULL << 20; ///< bytes; rotated before it grows beyond; 0: never
	unsigned keep = 5;                     ///< rotated files: PATH.1, the youngest, to PATH.keep
	std::size_t queue = QueuedSink::default_limit;

	friend bool operator==(const LineFileOptions&, const LineFileOptions&) = default;
};

class LineFileSink final : public QueuedSink {
  public:
	/// Opens it when the first line comes; one that cannot be opened is tried again.
	explicit LineFileSink(LineFileOptions options);
	~LineFileSink() override;
	LineFileSink(const LineFileSink&) = delete;
	LineFileSink& operator=(const LineFileSink&) = delete;

	/// Somebody else has moved the file: the next line goes to a new one.
	void reopen();

  protected:
	[[nodiscard]] Item format(const Verdict& verdict, WallTime time) const override;
	[[nodiscard]] Item format(const Collapsed& collapsed, WallTime time) const override;
	[[nodiscard]] Item format(const Note& note, WallTime time) const override;
	[[nodiscard]] std::string deliver(const Item& item, bool late) override;

  private:
	[[nodiscard]] std::string open_file();
	[[nodiscard]] std::string rotate();
	[[nodiscard]] std::string write_line(const std::string& line);

	LineFileOptions options_;
	int descriptor_ = -1;
	std::uint64_t size_ = 0;
};

} // namespace stalesock
