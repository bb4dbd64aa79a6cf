// SPDX-License-Identifier: Apache-2.0
#include "app/explain.hpp"

#include "app/diagram_style.hpp"
#include "app/exit_codes.hpp"
#include "app/options.hpp"
#include "app/report.hpp"
#include "app/standard_streams.hpp"
#include "app/verdict_search.hpp"
#include "model/escape.hpp"
#include "record/output_file.hpp"
#include "sinks/story.hpp"
#include "sinks/time_text.hpp"
#include "story/svg.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <span>
#include <system_error>

namespace stalesock {

namespace {

SearchResult search(const ExplainConfig& config) {
	if (!config.recording.empty()) {
		return search_recording(config);
	}
	return config.json.empty() ? search_journal(config) : search_json(config);
}

bool is_same(const FoundVerdict& left, const FoundVerdict& right) {
	return left.read.verdict.id == right.read.verdict.id && left.read.time == right.read.time;
}

/// A log may have the same line twice.
void keep_different(const ExplainConfig& config, std::vector<FoundVerdict>& found) {
	std::vector<FoundVerdict> kept;
	for (FoundVerdict& next : found) {
		const bool wanted = utc_text(next.read.time).starts_with(config.time);
		const bool known = std::any_of(kept.begin(), kept.end(), [&](const FoundVerdict& other) {
			return is_same(other, next);
		});
		if (wanted && !known) {
			kept.push_back(std::move(next));
		}
	}
	found = std::move(kept);
}

std::string at_time(const ExplainConfig& config) {
	return config.time.empty() ? "" : fmt::format(" at {}", escape_untrusted(config.time));
}

void report_nothing(const ExplainConfig& config, const SearchResult& result) {
	report(fmt::format("there is no verdict {}{} in {}", escape_untrusted(config.id),
	                   at_time(config), result.where));
	if (result.unreadable != 0) {
		report(fmt::format("{} entries could not be read; {}", result.unreadable, result.why));
	}
}

void report_choice(const ExplainConfig& config, const SearchResult& result) {
	report(fmt::format("{}{} is ambiguous in {}:", escape_untrusted(config.id), at_time(config),
	                   result.where));
	for (const FoundVerdict& found : result.found) {
		const Verdict& verdict = found.read.verdict;
		report(fmt::format("  {}  {}  {}", escape_untrusted(verdict.id), utc_text(found.read.time),
		                   to_string(verdict.kind)));
	}
	if (result.found.size() >= most_found) {
		report("  and perhaps more");
	}
	report("give the whole id, or --time with the beginning of one of these times");
}

int write_svg(const ExplainConfig& config, const Story& story) {
	const std::string svg = svg_of(story);
	int error = 0;
	try {
		OutputFile file(config.svg, config.force);
		error = file.write(std::as_bytes(std::span(svg)));
		const int close_error = file.close();
		error = error != 0 ? error : close_error;
	} catch (const std::system_error& failure) {
		error = failure.code().value();
	}
	if (error == 0) {
		return exit_done;
	}
	report(fmt::format("cannot write {}: {}", escape_untrusted(config.svg),
	                   std::strerror(error))); // NOLINT(concurrency-mt-unsafe)
	return exit_failed;
}

int show(const ExplainConfig& config, const FoundVerdict& found) {
	const Story story =
		story_of(found.read.verdict, found.read.time, found.history ? &*found.history : nullptr);
	if (!config.svg.empty()) {
		return write_svg(config, story);
	}
	return print(diagram_of(story, diagram_style(config.diagram)));
}

} // namespace

int run_explain(const ExplainConfig& config) {
	if (!config.svg.empty()) {
		if (const std::string objection = OutputFile::objection(config.svg, config.force);
		    !objection.empty()) {
			throw UsageError(fmt::format("{}: {}", escape_untrusted(config.svg), objection));
		}
	}
	SearchResult result = search(config);
	keep_different(config, result.found);
	if (result.found.empty()) {
		report_nothing(config, result);
		return exit_failed;
	}
	if (result.found.size() > 1) {
		report_choice(config, result);
		return exit_failed;
	}
	const int code = show(config, result.found.front());
	return code == exit_done && result.damaged ? exit_failed : code;
}

} // namespace stalesock
