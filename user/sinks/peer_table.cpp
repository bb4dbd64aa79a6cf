// SPDX-License-Identifier: Apache-2.0
#include "sinks/peer_table.hpp"

#include "model/escape.hpp"
#include "verdict/message.hpp"
#include "verdict/peer_advice.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace stalesock {

namespace {

using Lines = std::vector<std::string>;
using Cells = std::vector<std::string>;

constexpr const char* unknown = "-";
constexpr std::size_t indent = 4;

struct Column {
	const char* title;
	std::size_t width;
	bool left = false;
};

/// The first column is the endpoint, and takes what is left.
const std::vector<Column> peer_columns{{"REMOTE", 0, true},
                                       {"IDLE TIMEOUT", 16, true},
                                       {"N", 5},
                                       {"LIFETIME", 8},
                                       {"REQS", 5},
                                       {"DROPPED", 7},
                                       {"REUSED", 7},
                                       {"NEAR", 4}};
const std::vector<Column> listener_columns{{"LISTENER", 0, true},
                                           {"IDLE TIMEOUT", 16, true},
                                           {"N", 5},
                                           {"CLIENTS STAY", 16, true},
                                           {"N", 5},
                                           {"REUSED", 7},
                                           {"NEAR", 4}};

/// "5.00 s +3.1 ms": from 5.00 s to 3.1 ms more.
std::string range_text(const std::optional<Agreement>& learned) {
	if (!learned) {
		return unknown;
	}
	const Nanoseconds spread = learned->highest - learned->lowest;
	return duration_text(learned->lowest) +
	       (spread > Nanoseconds::zero() ? " +" + duration_text(spread) : "");
}

std::string support_text(const std::optional<Agreement>& learned) {
	return learned ? fmt::format("{}/{}", learned->agreeing, learned->remembered) : unknown;
}

std::string lowest_text(const std::optional<Agreement>& learned) {
	return learned ? duration_text(learned->lowest) : unknown;
}

std::string gap_text(const std::optional<LongestReuse>& reuse) {
	return reuse ? duration_text(reuse->gap) : unknown;
}

std::string requests_text(const Peer& peer) {
	return peer.request_limit ? fmt::format("{}", peer.request_limit->lowest) : unknown;
}

std::string name_of(const PeerKey& key) {
	return to_string(key.endpoint);
}

Cells cells_of(const Peer& peer) {
	return {name_of(peer.key),
	        range_text(peer.idle_timeout),
	        support_text(peer.idle_timeout),
	        lowest_text(peer.lifetime),
	        requests_text(peer),
	        lowest_text(peer.silent_drop_limit),
	        gap_text(peer.longest_reuse),
	        peer.idle_timeout ? fmt::format("{}", peer.near_misses) : unknown};
}

Cells cells_of(const Listener& listener) {
	return {name_of(listener.key),
	        range_text(listener.idle_timeout),
	        support_text(listener.idle_timeout),
	        range_text(listener.client_timeout),
	        support_text(listener.client_timeout),
	        gap_text(listener.longest_reuse),
	        listener.idle_timeout ? fmt::format("{}", listener.near_misses) : unknown};
}

std::string trimmed(std::string line) {
	line.erase(line.find_last_not_of(' ') + 1);
	return line;
}

/// A name that does not fit has a line of its own.
void append_row(Lines& lines, const std::vector<Column>& columns, Cells cells, std::size_t first) {
	if (cells.front().size() > first) {
		lines.push_back(std::exchange(cells.front(), ""));
	}
	std::string line = fmt::format("{:<{}}", cells.front(), first);
	for (std::size_t i = 1; i < columns.size(); i++) {
		line += columns[i].left ? fmt::format(" {:<{}}", cells[i], columns[i].width)
		                        : fmt::format(" {:>{}}", cells[i], columns[i].width);
	}
	lines.push_back(trimmed(line));
}

void append_wrapped(Lines& lines, std::string_view text, std::size_t width) {
	std::string line(indent, ' ');
	while (!text.empty()) {
		const std::size_t space = std::min(text.find(' '), text.size());
		const std::string_view word = text.substr(0, space);
		if (line.size() > indent && line.size() + 1 + word.size() > width) {
			lines.push_back(std::exchange(line, std::string(indent, ' ')));
		}
		line += line.size() > indent ? " " : "";
		line += word;
		text.remove_prefix(std::min(space + 1, text.size()));
	}
	if (line.size() > indent) {
		lines.push_back(line);
	}
}

std::string story_of(const Peer& peer) {
	std::string story;
	for (std::size_t i = 0; i < verdict_kind_count; i++) {
		const auto kind = static_cast<VerdictKind>(i);
		if (peer.count(kind) == 0) {
			continue;
		}
		story +=
			fmt::format("{}{} {}", story.empty() ? "" : ", ", to_string(kind), peer.count(kind));
		if (kind == VerdictKind::idle_close && peer.idle_resets != 0) {
			story += fmt::format(" ({} by RST)", peer.idle_resets);
		}
	}
	if (peer.longest_reuse && !peer.longest_reuse->command_name().empty()) {
		story += fmt::format("{}longest reuse by {}", story.empty() ? "" : "; ",
		                     escape_untrusted(peer.longest_reuse->command_name()));
	}
	return story;
}

std::string story_of(const Listener& listener) {
	const std::string_view command = listener.command.text();
	return fmt::format("{} closed {} idle connections, its clients {}",
	                   command.empty() ? "the listener" : escape_untrusted(command),
	                   listener.idle_closes, listener.client_idle_closes);
}

std::size_t width_of_first(const std::vector<Column>& columns, std::size_t longest,
                           std::size_t width) {
	std::size_t others = 0;
	for (const Column& column : columns) {
		others += column.width == 0 ? 0 : column.width + 1;
	}
	return std::min(std::max<std::size_t>(longest, 8), width - others);
}

template <typename Entry>
Lines table_of(const std::vector<const Entry*>& entries, const std::vector<Column>& columns,
               std::size_t width) {
	Lines lines;
	if (entries.empty()) {
		return lines;
	}
	width = std::clamp(width, narrowest_table, widest_table);
	std::size_t longest = 0;
	for (const Entry* const entry : entries) {
		longest = std::max(longest, name_of(entry->key).size());
	}
	const std::size_t first = width_of_first(columns, longest, width);
	Cells titles;
	for (const Column& column : columns) {
		titles.emplace_back(column.title);
	}
	append_row(lines, columns, titles, first);
	for (const Entry* const entry : entries) {
		append_row(lines, columns, cells_of(*entry), first);
		append_wrapped(lines, story_of(*entry), width);
		append_wrapped(lines, advice_for(*entry), width);
	}
	return lines;
}

} // namespace

std::vector<std::string> peer_table(const std::vector<const Peer*>& peers, std::size_t width) {
	return table_of(peers, peer_columns, width);
}

std::vector<std::string> listener_table(const std::vector<const Listener*>& listeners,
                                        std::size_t width) {
	return table_of(listeners, listener_columns, width);
}

} // namespace stalesock
