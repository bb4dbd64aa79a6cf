// SPDX-License-Identifier: Apache-2.0
// Verdicts as lines for people.
#pragma once

#include "sinks/line_output.hpp"
#include "sinks/sink.hpp"

#include <string>

namespace stalesock {

/// One aligned line, and a second one with the advice where there is some.
[[nodiscard]] std::string text_line(const Verdict& verdict, WallTime time, bool colour);
/// "37 more of nginx with 10.0.0.7:8080, ..."
[[nodiscard]] std::string collapsed_text(const Collapsed& collapsed);
[[nodiscard]] std::string text_line(const Collapsed& collapsed, WallTime time, bool colour);
[[nodiscard]] std::string text_line(const Event& event, WallTime time, bool colour);

/// A terminal that wants colour: NO_COLOR and TERM=dumb are honoured.
[[nodiscard]] bool wants_colour(int descriptor);

class TextSink final : public Sink {
  public:
	TextSink(LineOutput& output, bool colour) : output_(output), colour_(colour) {}

	void verdict(const Verdict& verdict, WallTime time) override {
		output_.line(text_line(verdict, time, colour_));
	}
	void collapsed(const Collapsed& collapsed, WallTime time) override {
		output_.line(text_line(collapsed, time, colour_));
	}
	void event(const Event& event, WallTime time) override {
		output_.line(text_line(event, time, colour_));
	}
	int flush() override { return output_.flush(); }

  private:
	LineOutput& output_;
	bool colour_;
};

} // namespace stalesock
