// SPDX-License-Identifier: Apache-2.0
// Where a replay's lines go: standard output, however slowly they are read.
#pragma once

#include "app/config.hpp"
#include "app/progress.hpp"
#include "sinks/line_output.hpp"
#include "sinks/sink.hpp"

#include <memory>

namespace stalesock {

class ReplayOutput {
  public:
	explicit ReplayOutput(const ReplayConfig& config);

	[[nodiscard]] Sink& sink() { return *sink_; }
	/// Every line counts, so a slow reader is waited for. Returns the errno that ended the output, or 0.
	int push(Progress& progress);
	[[nodiscard]] std::uint64_t discarded() const { return output_.discarded(); }

  private:
	LineOutput output_;
	std::unique_ptr<Sink> sink_;
};

} // namespace stalesock
