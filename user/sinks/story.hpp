// SPDX-License-Identifier: Apache-2.0
// Verdicts for people, each with the story of its connection. Wants the raw stream.
#pragma once

#include "sinks/text.hpp"
#include "story/diagram.hpp"
#include "story/history.hpp"

#include <string>

namespace stalesock {

/// The story of a verdict with its time in words.
[[nodiscard]] Story story_of(const Verdict& verdict, WallTime time,
                             const ConnectionHistory* history);

class StorySink final : public Sink {
  public:
	struct Options {
		bool colour = false;
		bool events = false; ///< print the raw stream as well
		DiagramStyle style;
	};

	StorySink(LineOutput& output, const Options& options)
		: output_(output), options_(options), text_(output, options.colour) {}

	void verdict(const Verdict& verdict, WallTime time) override;
	void collapsed(const Collapsed& collapsed, WallTime time) override {
		text_.collapsed(collapsed, time);
	}
	void event(const Event& event, WallTime time) override;
	void note(const Note& note, WallTime time) override { text_.note(note, time); }
	int flush() override { return text_.flush(); }

  private:
	LineOutput& output_;
	Options options_;
	TextSink text_;
	History history_;
};

} // namespace stalesock
