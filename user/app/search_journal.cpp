// SPDX-License-Identifier: Apache-2.0
// What `stalesock daemon` wrote to the journal: a field for each value of the JSON line (sinks/journal_record.hpp).
#include "app/verdict_search.hpp"

#include "app/options.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <stdexcept>
#include <systemd/sd-journal.h>

namespace stalesock {

namespace {

constexpr const char* id_field = "STALESOCK_ID";

/// Bytes of a field that are read at most; those of ours are short.
constexpr std::size_t longest_field = 64U << 10;

struct Close {
	void operator()(sd_journal* journal) const { sd_journal_close(journal); }
};
using Journal = std::unique_ptr<sd_journal, Close>;

Journal open_journal() {
	sd_journal* journal = nullptr;
	const int error = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);
	if (error < 0) {
		throw UsageError(fmt::format(
			"the journal cannot be opened: {}; --recording or --json name another source",
			std::strerror(-error))); // NOLINT(concurrency-mt-unsafe)
	}
	return Journal{journal};
}

JournalField field_of(const void* data, std::size_t size) {
	const std::string_view field{static_cast<const char*>(data), size};
	const std::size_t equals = std::min(field.find('='), field.size());
	return {std::string{field.substr(0, equals)},
	        std::string{field.substr(std::min(equals + 1, field.size()))}};
}

/// The ids in the journal that go by this name. Matches of one field are alternatives.
std::size_t match_ids(sd_journal* journal, const std::string& name) {
	std::vector<std::string> matches;
	const void* data = nullptr;
	std::size_t size = 0;
	if (sd_journal_query_unique(journal, id_field) >= 0) {
		SD_JOURNAL_FOREACH_UNIQUE(journal, data, size) {
			if (is_named(field_of(data, size).second, name)) {
				matches.emplace_back(static_cast<const char*>(data), size);
			}
		}
	}
	for (const std::string& match : matches) {
		sd_journal_add_match(journal, match.data(), match.size());
	}
	return matches.size();
}

std::vector<JournalField> fields_of(sd_journal* journal) {
	std::vector<JournalField> fields;
	const void* data = nullptr;
	std::size_t size = 0;
	SD_JOURNAL_FOREACH_DATA(journal, data, size) {
		fields.push_back(field_of(data, size));
	}
	return fields;
}

void read_entry(sd_journal* journal, const std::string& name, SearchResult& result) {
	try {
		auto read = read_verdict_fields(fields_of(journal));
		if (read && is_named(read->verdict.id, name)) {
			result.found.push_back({std::move(*read), std::nullopt});
		}
	} catch (const std::invalid_argument& problem) {
		if (result.unreadable++ == 0) {
			result.why = fmt::format("in an entry, {}", problem.what());
		}
	}
}

} // namespace

SearchResult search_journal(const ExplainConfig& config) {
	SearchResult result;
	result.where = "the journal (as far as this user may read it)";
	const Journal journal = open_journal();
	sd_journal_set_data_threshold(journal.get(), longest_field);
	if (match_ids(journal.get(), config.id) == 0) {
		return result;
	}
	SD_JOURNAL_FOREACH(journal.get()) {
		if (result.found.size() < most_found) {
			read_entry(journal.get(), config.id, result);
		}
	}
	return result;
}

} // namespace stalesock
