// SPDX-License-Identifier: Apache-2.0
// A record of the journal, as "NAME=value" texts (systemd.journal-fields(7)): MESSAGE, PRIORITY, MESSAGE_ID,
// and every field of the JSON contract as STALESOCK_ and its path: STALESOCK_CONNECTION_REMOTE. Unknown
// values are absent; an array is a field for each element.
#pragma once

#include "sinks/sink.hpp"

#include <string>
#include <vector>

namespace stalesock {

using JournalRecord = std::vector<std::string>;

/// Names the owner twice, as OBJECT_PID and as OBJECT_SYSTEMD_UNIT; see for_delivery.
[[nodiscard]] JournalRecord journal_record(const Verdict& verdict, WallTime time);
[[nodiscard]] JournalRecord journal_record(const Collapsed& collapsed, WallTime time);
[[nodiscard]] JournalRecord journal_record(const Note& note, WallTime time);

/// What a note says, for people.
[[nodiscard]] std::string note_text(const Note& note);

/// journald looks the process of OBJECT_PID up when the record arrives. That is right as long as it runs; of a
/// record that had to wait the process may have gone, or its pid be another's: then only the unit, which was
/// looked up in time, is sent.
[[nodiscard]] JournalRecord for_delivery(const JournalRecord& record, bool owner_runs);

} // namespace stalesock
