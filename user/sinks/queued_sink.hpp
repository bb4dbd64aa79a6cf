// SPDX-License-Identifier: Apache-2.0
// A sink whose reader may be away for a while: what it does not take waits in a bounded queue, in order;
// what finds no room there is counted, and told when the reader is back.
#pragma once

#include "sinks/sink.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace stalesock {

class QueuedSink : public Sink {
  public:
	static constexpr std::size_t default_limit = 4U << 20;

	/// `limit`: bytes of text that wait at most. One record always finds room in an empty queue.
	explicit QueuedSink(std::string name, std::size_t limit = default_limit)
		: name_(std::move(name)), limit_(limit) {}

	void verdict(const Verdict& verdict, WallTime time) override { push(format(verdict, time)); }
	void collapsed(const Collapsed& collapsed, WallTime time) override {
		push(format(collapsed, time));
	}
	void note(const Note& note, WallTime time) override { push(format(note, time)); }
	/// Delivers as much as is taken. Returns 0: a problem is never the end, it is tried again.
	int flush() override;

	/// Once, after an absence is over and everything that waited was delivered.
	[[nodiscard]] std::optional<OutputGap> take_gap();

	/// Why nothing is taken just now, in plain words; empty when all is well.
	[[nodiscard]] const std::string& problem() const { return problem_; }
	[[nodiscard]] std::size_t waiting() const { return queue_.size(); }
	[[nodiscard]] std::uint64_t discarded() const { return discarded_; } ///< since the last gap
	[[nodiscard]] const std::string& name() const { return name_; }

  protected:
	/// One record as the sink delivers it: fields of a journal record, or one line.
	using Item = std::vector<std::string>;

	[[nodiscard]] virtual Item format(const Verdict& verdict, WallTime time) const = 0;
	[[nodiscard]] virtual Item format(const Collapsed& collapsed, WallTime time) const = 0;
	[[nodiscard]] virtual Item format(const Note& note, WallTime time) const = 0;
	/// Delivers one, without waiting. Returns why not, or nothing. `late`: it had to wait.
	[[nodiscard]] virtual std::string deliver(const Item& item, bool late) = 0;

  private:
	void push(Item item);

	std::string name_;
	std::size_t limit_;
	std::deque<Item> queue_;
	std::size_t queued_bytes_ = 0;
	std::string problem_;
	std::string last_problem_;
	std::uint64_t delayed_ = 0;
	std::uint64_t discarded_ = 0;
};

} // namespace stalesock
