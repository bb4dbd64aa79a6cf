// SPDX-License-Identifier: Apache-2.0
// Reads back what json.hpp writes: verdicts from logs, whoever kept them.
#pragma once

#include "sinks/sink.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stalesock {

struct ReadVerdict {
	Verdict verdict; ///< its boot time stands for `time`: only differences of it mean anything
	WallTime time;
};

/// Nothing for a line that is no verdict (an event, a record). Fields that are not known are ignored. Throws
/// std::invalid_argument for what is no JSON object or breaks the contract; what() names the field, safe to
/// print.
[[nodiscard]] std::optional<ReadVerdict> read_verdict_line(std::string_view line);

/// The same from the journal, where each field of the object is one: "STALESOCK_EVIDENCE_IDLE_MS", "2002.1". Fields with
/// other names are ignored.
using JournalField = std::pair<std::string, std::string>;
[[nodiscard]] std::optional<ReadVerdict>
read_verdict_fields(const std::vector<JournalField>& fields);

} // namespace stalesock
