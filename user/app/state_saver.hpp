// SPDX-License-Identifier: Apache-2.0
// Saves what was learned without making anybody wait for the disk.
#pragma once

#include "app/state_file.hpp"
#include "model/helper.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace stalesock {

/// An fsync takes tens of milliseconds, and on a disk that hangs for ever. Whoever drains the ring gives the text and goes on; another
/// thread writes it. One thread uses this.
class StateSaver {
  public:
	/// Replaces the file; throws std::system_error.
	using Write = std::function<void(const std::string& path, const std::string& text)>;

	/// Throws std::system_error where there can be no thread.
	explicit StateSaver(std::string path, Write write = write_state_file)
		: path_(std::move(path)), write_(std::move(write)) {}

	/// The last text is being written still.
	[[nodiscard]] bool busy() const { return job_ && !job_->ready(); }
	/// Writes this one. Does not wait: call it only where nothing is being written.
	void begin(std::string text);
	/// What came of the last text, once: the problem, one sentence that is safe to print, or empty. Nothing while it is being
	/// written, or where none was.
	[[nodiscard]] std::optional<std::string> take_result();
	/// Waits for it.
	[[nodiscard]] std::optional<std::string> wait_for_result();

  private:
	std::string path_;
	Write write_;
	Helper helper_;
	std::optional<Job<std::string>> job_;
};

} // namespace stalesock
