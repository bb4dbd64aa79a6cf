// SPDX-License-Identifier: Apache-2.0
#include "app/verdict_search.hpp"

#include "app/line_reader.hpp"
#include "app/progress.hpp"
#include "app/recording_input.hpp"
#include "app/report.hpp"
#include "model/escape.hpp"

#include <cstring>
#include <fmt/format.h>
#include <stdexcept>

namespace stalesock {

namespace {

void note_unreadable(SearchResult& result, std::uint64_t number, std::string_view why) {
	if (result.unreadable++ == 0) {
		result.why = fmt::format("line {} {}", number, why);
	}
}

/// A line without the id anywhere is not parsed: logs are long.
void look_at(std::string_view line, std::uint64_t number, const std::string& id,
             SearchResult& result) {
	if (line.find(id) == std::string_view::npos) {
		return;
	}
	try {
		auto read = read_verdict_line(line);
		if (read && is_named(read->verdict.id, id) && result.found.size() < most_found) {
			result.found.push_back({std::move(*read), std::nullopt});
		}
	} catch (const std::invalid_argument& problem) {
		note_unreadable(result, number, problem.what());
	}
}

} // namespace

SearchResult search_json(const ExplainConfig& config) {
	SearchResult result;
	const std::string path = config.json == "-" ? "/dev/stdin" : config.json;
	const std::string shown = config.json == "-" ? "standard input" : escape_untrusted(config.json);
	const Descriptor file = open_input(path);
	Progress progress(fmt::format("looking through {}", shown), size_of(file));
	LineReader reader([&file](std::span<std::byte> to) { return read_some(file, to); });
	while (const auto line = reader.next()) {
		look_at(*line, reader.number(), config.id, result);
		progress.update(reader.offset());
	}
	if (reader.error() != 0) {
		progress.hide();
		result.damaged = true;
		report(fmt::format("cannot read {} past line {}: {}", shown, reader.number(),
		                   std::strerror(reader.error()))); // NOLINT(concurrency-mt-unsafe)
	}
	if (reader.too_long() != 0) {
		note_unreadable(result, reader.first_too_long(), "is too long");
		result.unreadable += reader.too_long() - 1;
	}
	result.where = fmt::format("{} ({} lines)", shown, reader.number());
	return result;
}

} // namespace stalesock
