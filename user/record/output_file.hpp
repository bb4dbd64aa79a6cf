// SPDX-License-Identifier: Apache-2.0
// The file a recording goes to: readable by its owner only, and never over an existing one unasked.
#pragma once

#include "record/bytes.hpp"

#include <string>

namespace stalesock {

class OutputFile {
  public:
	/// Throws std::system_error. A FIFO or a device such as /dev/stdout is written to as it is.
	OutputFile(const std::string& path, bool overwrite);
	~OutputFile();
	OutputFile(const OutputFile&) = delete;
	OutputFile& operator=(const OutputFile&) = delete;

	/// Why the path is no place for a recording; empty: none that can be told before it is opened.
	[[nodiscard]] static std::string objection(const std::string& path, bool overwrite);

	/// All of it, or of a regular file nothing. Returns 0 or an errno.
	[[nodiscard]] int write(ByteView bytes);
	/// Returns 0 or an errno: some file systems tell only now.
	[[nodiscard]] int close();

  private:
	int descriptor_;
	bool regular_ = false;
	std::uint64_t size_ = 0;
};

} // namespace stalesock
