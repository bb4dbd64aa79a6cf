// SPDX-License-Identifier: Apache-2.0
#include "state/names.hpp"
#include "state/state.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace stalesock {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t seconds_of(Nanoseconds time) {
	return std::chrono::floor<std::chrono::seconds>(time).count();
}

double ms_of(Nanoseconds time) {
	return static_cast<double>(time / Observations::step) / state::steps_per_ms;
}

/// Raw bytes that are not UTF-8 become U+FFFD.
std::string line_of(const Json& object) {
	constexpr int compact = -1;
	constexpr bool ascii_only = true;
	return object.dump(compact, ' ', ascii_only, Json::error_handler_t::replace);
}

/// Fills one endpoint's object; what is 0 or empty is left out.
class Fields {
  public:
	explicit Fields(const Place& now) : now_(now) {}

	void key(const PeerKey& key) {
		object_[state::endpoint] = to_string(key.endpoint);
		if (key.netns != 0 && key.netns == now_.netns) {
			object_[state::netns] = state::own_namespace;
		} else if (key.netns != 0) {
			object_[state::netns] = key.netns;
		}
	}
	void age(const char* name, Nanoseconds time) { object_[name] = age_of(seconds_of(time)); }
	void count(const char* name, std::uint32_t count) {
		if (count != 0) {
			object_[name] = count;
		}
	}
	void times(const char* name, const Observations& times) {
		put(name, times.values(), [](std::uint32_t value) { return value / state::steps_per_ms; });
	}
	void counts(const char* name, const RecentValues& values) {
		put(name, values, [](std::uint32_t value) { return value; });
	}
	void command(const CommandName& command) {
		if (!command.text().empty()) {
			object_[state::command] = command.text();
		}
	}
	void reuse(const std::optional<LongestReuse>& reuse) {
		if (!reuse) {
			return;
		}
		Json& longest = object_[state::longest_reuse];
		longest[state::gap] = ms_of(reuse->gap);
		longest[state::age] = age_of(seconds_of(reuse->seen));
		if (!reuse->command_name().empty()) {
			longest[state::command] = reuse->command_name();
		}
	}
	void verdicts(const Peer& peer) {
		for (std::size_t kind = 0; kind < verdict_kind_count; kind++) {
			if (peer.verdicts.at(kind) != 0) {
				object_[state::verdicts][std::string(to_string(static_cast<VerdictKind>(kind)))] =
					peer.verdicts.at(kind);
			}
		}
	}
	[[nodiscard]] std::string line() const { return line_of(object_); }

  private:
	[[nodiscard]] std::int64_t age_of(std::int64_t second) const {
		return std::max<std::int64_t>(0, seconds_of(now_.boot_time) - second);
	}
	template <typename Convert>
	void put(const char* name, const RecentValues& values, Convert convert) {
		for (const Seen& seen : values.entries()) {
			object_[name].push_back(Json::array({convert(seen.value), age_of(seen.second)}));
		}
	}

	const Place& now_;
	Json object_;
};

std::string line_of(const Peer& peer, const Place& now) {
	Fields fields(now);
	fields.key(peer.key);
	fields.age(state::last_seen, peer.last_seen);
	fields.verdicts(peer);
	fields.count(state::idle_resets, peer.idle_resets);
	fields.count(state::near_misses, peer.near_misses);
	fields.reuse(peer.longest_reuse);
	fields.times(state::idle_times, peer.idle_times);
	fields.times(state::lifetimes, peer.lifetimes);
	fields.times(state::silent_drops, peer.silent_drops);
	fields.counts(state::request_counts, peer.request_counts);
	return fields.line();
}

std::string line_of(const Listener& listener, const Place& now) {
	Fields fields(now);
	fields.key(listener.key);
	fields.age(state::last_seen, listener.last_seen);
	fields.count(state::own_closes, listener.idle_closes);
	fields.count(state::client_closes, listener.client_idle_closes);
	fields.count(state::near_misses, listener.near_misses);
	fields.command(listener.command);
	fields.reuse(listener.longest_reuse);
	fields.times(state::idle_times, listener.idle_times);
	fields.times(state::client_idle_times, listener.client_idle_times);
	return fields.line();
}

/// "[\n{...},\n{...}\n]"
template <typename Entry>
void append_list(std::string& text, const std::vector<const Entry*>& entries, const Place& now) {
	const char* separator = "\n";
	text += '[';
	for (const Entry* const entry : entries) {
		text += separator;
		text += line_of(*entry, now);
		separator = ",\n";
	}
	text += "\n]";
}

void put(Json& header, const char* name, const std::string& text) {
	if (!text.empty()) {
		header[name] = text;
	}
}

} // namespace

std::string state_text(const Peers& peers, const Listeners& listeners, const Place& now) {
	Json header;
	header[state::version] = state_version;
	put(header, state::host, now.host);
	put(header, state::boot, now.boot);
	header[state::saved_unix] = now.unix_seconds;
	header[state::saved_boot] = seconds_of(now.boot_time);
	std::string text = line_of(header);
	text.back() = ','; // the object goes on
	text += fmt::format("\n\"{}\":", state::peers);
	append_list(text, peers.sorted(), now);
	text += fmt::format(",\n\"{}\":", state::listeners);
	append_list(text, listeners.sorted(), now);
	text += "}\n";
	return text;
}

} // namespace stalesock
