// SPDX-License-Identifier: Apache-2.0
#include "model/escape.hpp"
#include "state/names.hpp"
#include "state/state.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace stalesock {

namespace {

using Json = nlohmann::json;

/// One hundred years: no age in a file is older, no sum of ages overflows.
constexpr std::int64_t longest_age = std::int64_t{100} * 366 * 86400;

[[noreturn]] void refuse(const std::string& where, std::string_view what) {
	throw StateRefused(
		fmt::format("{}: {}", where.empty() ? "at the top" : escape_untrusted(where), what));
}

/// A value and its place in the text, for messages.
struct Node {
	const Json& json;
	std::string path;

	/// Null when there is no such field.
	[[nodiscard]] const Json* find(const char* name) const {
		const auto found = json.find(name);
		return found == json.end() ? nullptr : &*found;
	}
	[[nodiscard]] Node at(const char* name, const Json& field) const {
		return {field, fmt::format("{}/{}", path, name)};
	}
	[[nodiscard]] Node at(std::size_t index) const {
		return {json[index], fmt::format("{}/{}", path, index)};
	}
};

void require_object(const Node& node) {
	if (!node.json.is_object()) {
		refuse(node.path, "is not an object");
	}
}

void require_array(const Node& node, std::size_t most) {
	if (!node.json.is_array() || node.json.size() > most) {
		refuse(node.path, fmt::format("is not a list of up to {}", most));
	}
}

std::int64_t integer(const Node& node, std::int64_t least, std::int64_t most) {
	const bool fits = node.json.is_number_integer() &&
	                  (!node.json.is_number_unsigned() ||
	                   node.json.get<std::uint64_t>() <= static_cast<std::uint64_t>(most));
	if (!fits || node.json.get<std::int64_t>() < least || node.json.get<std::int64_t>() > most) {
		refuse(node.path, fmt::format("is not an integer from {} to {}", least, most));
	}
	return node.json.get<std::int64_t>();
}

std::int64_t optional_integer(const Node& node, const char* name, std::int64_t most) {
	const Json* const field = node.find(name);
	return field == nullptr ? 0 : integer(node.at(name, *field), 0, most);
}

std::uint32_t count(const Node& node, const char* name) {
	return static_cast<std::uint32_t>(
		optional_integer(node, name, std::numeric_limits<std::uint32_t>::max()));
}

std::string text(const Node& node, const char* name) {
	const Json* const field = node.find(name);
	if (field == nullptr) {
		return {};
	}
	if (!field->is_string()) {
		refuse(node.at(name, *field).path, "is not text");
	}
	return field->get<std::string>();
}

/// Milliseconds as steps of Observations.
std::uint32_t steps(const Node& node) {
	const double value = node.json.is_number() ? node.json.get<double>() * state::steps_per_ms : -1;
	if (!(value >= 0 && value <= std::numeric_limits<std::uint32_t>::max())) {
		refuse(node.path, "is not a time in ms");
	}
	return static_cast<std::uint32_t>(std::llround(value));
}

/// Times before the state was saved.
Nanoseconds moment(const Node& node, const char* name) {
	return -std::chrono::seconds(optional_integer(node, name, longest_age));
}

template <typename Convert>
void read_values(const Node& node, const char* name, RecentValues& into, Convert convert) {
	const Json* const field = node.find(name);
	if (field == nullptr) {
		return;
	}
	const Node list = node.at(name, *field);
	require_array(list, RecentValues::capacity);
	std::vector<Seen> values;
	for (std::size_t i = 0; i < list.json.size(); i++) {
		const Node pair = list.at(i);
		if (!pair.json.is_array() || pair.json.size() != 2) {
			refuse(pair.path, "is not a pair of value and age");
		}
		const std::int64_t age =
			integer(pair.at(1), 0, std::numeric_limits<std::int32_t>::max() / 2);
		values.push_back({convert(pair.at(std::size_t{0})), static_cast<std::int32_t>(-age)});
	}
	into.merge(values);
}

void read_times(const Node& node, const char* name, Observations& into) {
	read_values(node, name, into.values(), steps);
}

void read_counts(const Node& node, const char* name, RecentValues& into) {
	read_values(node, name, into, [](const Node& value) {
		return static_cast<std::uint32_t>(
			integer(value, 0, std::numeric_limits<std::uint32_t>::max()));
	});
}

/// A number, "host", or absent for an address that means the same everywhere.
PeerKey read_key(const Node& node) {
	const auto endpoint = parse_endpoint(text(node, state::endpoint));
	if (!endpoint) {
		refuse(node.path, "has no endpoint such as \"10.0.0.7:8080\"");
	}
	const Json* const netns = node.find(state::netns);
	if ((netns != nullptr) != is_local(endpoint->address)) {
		refuse(node.path, "needs a network namespace if it is loopback or link-local, only then");
	}
	if (netns == nullptr) {
		return {*endpoint, 0};
	}
	if (*netns == state::own_namespace) {
		return {*endpoint, SavedState::own_namespace};
	}
	return {*endpoint, static_cast<std::uint32_t>(
						   integer(node.at(state::netns, *netns), SavedState::own_namespace + 1,
	                               std::numeric_limits<std::uint32_t>::max()))};
}

std::optional<LongestReuse> read_reuse(const Node& node) {
	const Json* const field = node.find(state::longest_reuse);
	if (field == nullptr) {
		return std::nullopt;
	}
	const Node reuse = node.at(state::longest_reuse, *field);
	require_object(reuse);
	const Json* const gap = reuse.find(state::gap);
	if (gap == nullptr) {
		refuse(reuse.path, "has no gap_ms");
	}
	return LongestReuse{steps(reuse.at(state::gap, *gap)) * Observations::step,
	                    moment(reuse, state::age), CommandName{text(reuse, state::command)}};
}

/// Names of a newer version are not an error.
void read_verdicts(const Node& node, Peer& peer) {
	const Json* const field = node.find(state::verdicts);
	if (field == nullptr) {
		return;
	}
	const Node verdicts = node.at(state::verdicts, *field);
	require_object(verdicts);
	for (const auto& [name, unused] : verdicts.json.items()) {
		if (const auto kind = parse_verdict_kind(name)) {
			peer.verdicts.at(static_cast<std::size_t>(*kind)) = count(verdicts, name.c_str());
		}
	}
}

void read(const Node& node, Peer& peer) {
	peer.key = read_key(node);
	peer.last_seen = moment(node, state::last_seen);
	read_verdicts(node, peer);
	peer.idle_resets = count(node, state::idle_resets);
	peer.near_misses = count(node, state::near_misses);
	peer.longest_reuse = read_reuse(node);
	read_times(node, state::idle_times, peer.idle_times);
	read_times(node, state::lifetimes, peer.lifetimes);
	read_times(node, state::silent_drops, peer.silent_drops);
	read_counts(node, state::request_counts, peer.request_counts);
}

void read(const Node& node, Listener& listener) {
	listener.key = read_key(node);
	listener.last_seen = moment(node, state::last_seen);
	listener.idle_closes = count(node, state::own_closes);
	listener.client_idle_closes = count(node, state::client_closes);
	listener.near_misses = count(node, state::near_misses);
	listener.command = CommandName{text(node, state::command)};
	listener.longest_reuse = read_reuse(node);
	read_times(node, state::idle_times, listener.idle_times);
	read_times(node, state::client_idle_times, listener.client_idle_times);
}

template <typename Entry> std::vector<Entry> read_list(const Node& top, const char* name) {
	constexpr std::size_t most = 1U << 24;
	std::vector<Entry> entries;
	const Json* const field = top.find(name);
	if (field == nullptr) {
		refuse(top.path, fmt::format("has no list \"{}\"", name));
	}
	const Node list = top.at(name, *field);
	require_array(list, most);
	for (std::size_t i = 0; i < list.json.size(); i++) {
		const Node node = list.at(i);
		require_object(node);
		read(node, entries.emplace_back());
	}
	return entries;
}

void check_version(const Node& top) {
	const Json* const version = top.json.is_object() ? top.find(state::version) : nullptr;
	if (version == nullptr) {
		throw StateRefused("is not a state of stalesock: it has no \"stalesock_peers\"");
	}
	const std::int64_t found =
		integer(top.at(state::version, *version), 1, std::numeric_limits<std::int32_t>::max());
	if (found > state_version) {
		throw StateRefused(fmt::format(
			"was written by a newer stalesock: version {} of the state, this one reads up to {}",
			found, state_version));
	}
}

Json parse(std::string_view text) {
	try {
		return Json::parse(text);
	} catch (const Json::parse_error& error) {
		const std::size_t byte = std::min(error.byte, text.size());
		const auto line =
			1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
		throw StateRefused(byte >= text.size()
		                       ? fmt::format("is cut off at byte {} (line {})", byte, line)
		                       : fmt::format("is damaged at byte {} (line {})", byte, line));
	}
}

} // namespace

SavedState parse_state(std::string_view input) {
	const Json json = parse(input);
	const Node top{json, ""};
	check_version(top);
	SavedState saved;
	saved.place.host = text(top, state::host);
	saved.place.boot = text(top, state::boot);
	saved.place.netns = SavedState::own_namespace;
	saved.place.unix_seconds = optional_integer(top, state::saved_unix, longest_age);
	saved.place.boot_time =
		std::chrono::seconds(optional_integer(top, state::saved_boot, longest_age));
	saved.peers = read_list<Peer>(top, state::peers);
	saved.listeners = read_list<Listener>(top, state::listeners);
	return saved;
}

} // namespace stalesock
