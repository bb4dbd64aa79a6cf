// SPDX-License-Identifier: Apache-2.0
// A running `stalesock watch --json` and what it has said.
#pragma once

#include "support/process.hpp"
#include "support/sockets.hpp"

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace runtime {

using Json = nlohmann::json;
using Verdicts = std::vector<Json>;

/// Verdicts about the two ends of one connection, in the order they came.
struct Seen {
	Verdicts active;
	Verdicts passive;
};

/// What can be known of a write after the peer's FIN, beyond that it was made.
enum class Sight : std::uint8_t {
	time,
	writer,
	head, ///< of the message: a farewell or a request
	eof,  ///< whether the end of file was read or peeked before
};

using Names = std::vector<std::string>;

class Watch {
  public:
	/// Starts it in this network namespace and returns once every hook is attached. It watches this namespace, unless
	/// the filters say otherwise (--netns).
	explicit Watch(const Arguments& filters = {}, const Arguments& launcher = {});

	/// Returns once every verdict that follows from what has happened so far has been read.
	void settle();
	/// settle(), then what it said about this connection.
	Seen observe(const Connection& connection);
	/// The same without settle().
	[[nodiscard]] Verdicts about(const Side& side) const;
	[[nodiscard]] Seen about(const Connection& connection) const;
	/// Waits until it has given this verdict, or one of these, about this side.
	void wait_for(const Side& side, const std::string& verdict) { wait_for(side, Names{verdict}); }
	void wait_for(const Side& side, const Names& verdicts);
	/// Waits until what it has said so far is enough; false when it never was.
	bool wait_until(const std::function<bool()>& is_enough);

	/// SIGTERM; its exit code. Its remaining output is read first.
	ExitCode stop(int signal_number = 15);

	/// Whether its hooks show this, as it said itself when it started.
	[[nodiscard]] bool sees(Sight sight) const;
	/// "tracepoint", "trampoline" or "none".
	[[nodiscard]] std::string hook_class() const;

	[[nodiscard]] const Verdicts& verdicts() const { return verdicts_; }
	/// The text of each verdict.
	[[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
	/// What it said that is no verdict: how it started, and that events were lost.
	[[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
	[[nodiscard]] const std::string& errors() const { return process_.errors(); }
	[[nodiscard]] Process& process() { return process_; }

  private:
	void wait_until_watching();
	void parse_new_lines();

	Process process_;
	std::size_t parsed_ = 0;
	std::vector<std::string> lines_;
	Verdicts verdicts_;
	std::vector<std::string> notes_;
};

/// The one instance that serves most tests; started when it is first needed.
Watch& watch();
/// Whether watch() was ever called.
bool watch_is_running();

/// The kinds of these verdicts, in order.
Names names(const Verdicts& verdicts);

} // namespace runtime
