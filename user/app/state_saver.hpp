// SPDX-License-Identifier: Apache-2.0
// Saves what was learned on a thread of its own.
#pragma once

#include "app/state_file.hpp"
#include "model/helper.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace stalesock {

/// An fsync takes tens of milliseconds; on a disk that hangs, it never ends. The thread that drains the ring hands the text
/// over and goes on. Only that thread calls these functions.
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
	/// The result of the last text, told once: one sentence that is safe to print, or an empty one for success. Nothing
	/// while the text is being written, and where none was given.
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
