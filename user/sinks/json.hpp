// SPDX-License-Identifier: Apache-2.0
// The JSON contract: one object a line, fields added but never renamed, unknown values absent.
// Described by packaging/schema/.
#pragma once

#include "sinks/line_output.hpp"
#include "sinks/sink.hpp"

#include <string>

namespace stalesock {

/// One object without its newline. ASCII only, so that text from outside cannot drive a terminal;
/// invalid UTF-8 becomes U+FFFD.
[[nodiscard]] std::string json_line(const Verdict& verdict, WallTime time);
[[nodiscard]] std::string json_line(const Collapsed& collapsed, WallTime time);
[[nodiscard]] std::string json_line(const Event& event, WallTime time);
[[nodiscard]] std::string json_line(const Note& note, WallTime time);

class JsonSink final : public Sink {
  public:
	explicit JsonSink(LineOutput& output) : output_(output) {}

	void verdict(const Verdict& verdict, WallTime time) override {
		output_.line(json_line(verdict, time));
	}
	void collapsed(const Collapsed& collapsed, WallTime time) override {
		output_.line(json_line(collapsed, time));
	}
	void event(const Event& event, WallTime time) override { output_.line(json_line(event, time)); }
	void note(const Note& note, WallTime time) override { output_.line(json_line(note, time)); }
	int flush() override { return output_.flush(); }

  private:
	LineOutput& output_;
};

} // namespace stalesock
