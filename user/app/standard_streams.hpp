// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sinks/table.hpp"

#include <string_view>

namespace stalesock {

/// Turns a vanished reader into an error of write() instead of a signal, and occupies descriptors 0
/// to 2 where the caller has closed them, so that no other file takes their place.
void prepare_standard_streams();

/// Prints text and a newline on standard output. Returns an exit code: exit_failed, reported, when
/// it cannot be written; a reader that has gone is no failure.
[[nodiscard]] int print(std::string_view text);

/// The exit code for what became of standard output: 0 or an errno.
[[nodiscard]] int exit_code_for_output(int error);

/// Standard output for what is written in one go: it waits for its reader.
class StandardOutput {
  public:
	StandardOutput();

	/// False when it has failed, for good.
	bool write(std::string_view text);
	/// 0, or the errno that has ended it.
	[[nodiscard]] int error() const { return error_; }

	/// Cut to the width of the terminal, coloured if it wants colour; neither in a pipe.
	[[nodiscard]] static TextOptions text_options(bool head, bool colour);

  private:
	int error_ = 0;
};

} // namespace stalesock
