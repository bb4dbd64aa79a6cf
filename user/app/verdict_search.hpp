// SPDX-License-Identifier: Apache-2.0
// Finding a verdict by its id: in a recording, in JSON lines, in the journal.
#pragma once

#include "app/config.hpp"
#include "sinks/json_reader.hpp"
#include "story/history.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stalesock {

struct FoundVerdict {
	ReadVerdict read;
	std::optional<ConnectionHistory> history; ///< where events were to be had
};

struct SearchResult {
	std::vector<FoundVerdict> found; ///< at most `most_found`, in the order of the source
	std::uint64_t verdicts = 0;      ///< looked at, or that begin like the id: see `where`
	std::uint64_t unreadable = 0;    ///< lines or entries that are no verdict of the contract
	std::string why;                 ///< of the first unreadable one
	std::string where;               ///< "the recording a.stalesock": safe to print
	bool damaged = false;            ///< the source ended before its time
};

/// More are as good as too many.
inline constexpr std::size_t most_found = 16;

/// Whether a verdict's id is this one, or belongs to this connection: "3d2d66e" stands for "3d2d66e-1",
/// "3d2d66e-2" and so on.
[[nodiscard]] bool is_named(std::string_view id, std::string_view name);

/// Each throws UsageError when the source cannot be opened.
[[nodiscard]] SearchResult search_recording(const ExplainConfig& config);
[[nodiscard]] SearchResult search_json(const ExplainConfig& config);
[[nodiscard]] SearchResult search_journal(const ExplainConfig& config);

} // namespace stalesock
