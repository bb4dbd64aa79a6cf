// SPDX-License-Identifier: Apache-2.0
// Verdicts for journald, about the processes that they concern: `journalctl -u nginx` shows them.
#pragma once

#include "sinks/journal_record.hpp"
#include "sinks/queued_sink.hpp"

#include <functional>
#include <memory>
#include <string>

namespace stalesock {

/// The way to journald. sd_journal_sendv returns 0 when there is no journald, and blocks while journald's socket
/// is full: whether it can take a record is asked of that socket before each one.
class JournalDoor {
  public:
	JournalDoor();
	~JournalDoor();
	JournalDoor(const JournalDoor&) = delete;
	JournalDoor& operator=(const JournalDoor&) = delete;

	/// Why journald took no record, in plain words, or nothing.
	[[nodiscard]] std::string send(const JournalRecord& record) const;

  private:
	[[nodiscard]] std::string objection() const;

	int socket_;
};

class JournalSink final : public QueuedSink {
  public:
	using Send = std::function<std::string(const JournalRecord&)>;

	/// To journald.
	explicit JournalSink(std::size_t limit = default_limit);
	/// To a function with the contract of JournalDoor::send.
	JournalSink(Send send, std::size_t limit);

  protected:
	[[nodiscard]] Item format(const Verdict& verdict, WallTime time) const override {
		return journal_record(verdict, time);
	}
	[[nodiscard]] Item format(const Collapsed& collapsed, WallTime time) const override {
		return journal_record(collapsed, time);
	}
	[[nodiscard]] Item format(const Note& note, WallTime time) const override {
		return journal_record(note, time);
	}
	[[nodiscard]] std::string deliver(const Item& item, bool late) override;

  private:
	Send send_;
};

} // namespace stalesock
