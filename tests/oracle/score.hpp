// SPDX-License-Identifier: Apache-2.0
// Truth against report: precision, recall, and every single disagreement.
#pragma once

#include "watcher.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace oracle {

struct Socket {
	View view;
	Truth truth;
	unsigned connection = 0; ///< index of its plan
	std::vector<Report> reported;
};
using Sockets = std::map<Ends, Socket>;

struct Row {
	unsigned truths = 0;
	unsigned reports = 0;
	unsigned agreed = 0;
	unsigned wrong = 0;    ///< reported, not true; or reported twice
	unsigned missed = 0;   ///< true, not reported
	unsigned unscored = 0; ///< packets do not tell
	unsigned guessed = 0;  ///< of the wrong and missed: not held against it, see score()
};

struct Mismatch {
	Ends ends;
	std::string what;          ///< "stale_reuse missed"
	std::optional<Kind> kind;  ///< none: it is about a role
	std::string detail;        ///< for the eyes of a person; differs from time to time
	bool says_nothing = false; ///< the program under test, where it ought to
};

struct Score {
	std::map<Kind, Row> rows;
	std::vector<Mismatch> mismatches;
	/// Missed, where one event in a timer's softirq decides. Counted in the rows; few are forgiven: on a virtual
	/// machine tracing programs were seen not to be run when a timer interrupts one certain task, and the kernel to
	/// count no miss (tracefs showed the event; about 1 of 400).
	std::vector<Mismatch> unseen;
	std::vector<std::string> strays; ///< verdicts about connections that the capture does not know
	std::map<std::string, unsigned> other_kinds; ///< verdicts of kinds that are not this test's
};

/// Hands each verdict to its socket, then compares. An idle_close and a limit_close can look the same to a
/// socket (last words as long as an answer, on a path too fast for timestamps): one taken for the other is
/// counted as wrong and missed, but is a mismatch only if the verdict claimed to be certain.
/// With `weak` that holds for every kind of verdict about a late write or an early answer.
[[nodiscard]] Score score(Sockets& sockets, const Transcript& transcript, bool weak);

[[nodiscard]] std::string table(const Score& score);

} // namespace oracle
